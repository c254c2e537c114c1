import { Buffer } from 'node:buffer';
import { comparePaths } from '../content/path.ts';
import { ArtifactstoreError } from '../error.ts';
import { toFloat16 } from './float16.ts';
import { isPlainObject } from './json-value.ts';

/** How deep arrays and maps may nest, in both directions. */
export const maximumCborDepth = 128;

/** A value that is already encoded, in pieces, to be copied as it stands into what surrounds it. */
export interface RawCbor {
  readonly raw: readonly Uint8Array[];
}

/**
 * Vouches that `pieces`, one after the other, are `length` canonically encoded values; gives the array of them. A piece
 * that has a buffer of its own is empty when it has been encoded: tens of megabytes are not held twice.
 */
export function spentCborArray(length: number, pieces: readonly Uint8Array[]): RawCbor {
  const writer: Writer = { bytes: Buffer.alloc(9), at: 0 };
  writeHead(writer, 0x80, length);
  const raw = [writer.bytes.subarray(0, writer.at), ...pieces];
  return Object.assign(Object.create(rawPrototype) as object, { raw });
}

/** The values one after the other, as `spentCborArray` takes them. */
export function encodeCborSequence(values: readonly unknown[]): Uint8Array {
  const writer: Writer = { bytes: Buffer.allocUnsafeSlow(initialBytes), at: 0 };
  for (const value of values) writeValue(writer, value, 2);
  return new Uint8Array((writer.bytes.buffer as ArrayBuffer).transfer(writer.at));
}

/**
 * Takes JSON values, and `spentCborArray` in their midst; arrays and plain objects may be readonly. Throws
 * `invalid_value` on what the form cannot carry (a lone surrogate, a number that is not finite, nesting over
 * `maximumCborDepth`), and TypeError on what is no JSON value at all, also as a member: `undefined` is not the same as
 * a key left out.
 */
export function encodeCbor(value: unknown): Uint8Array {
  // Taken, not shared: a getter in `value` may encode too.
  const writer: Writer = { bytes: spare ?? Buffer.allocUnsafeSlow(initialBytes), at: 0 };
  spare = undefined;
  writeValue(writer, value, 1);
  // What is not kept needs no copy.
  if (writer.bytes.length > keptBytes) return new Uint8Array(writer.bytes.buffer, writer.bytes.byteOffset, writer.at);
  const encoded = new Uint8Array(writer.at);
  encoded.set(writer.bytes.subarray(0, writer.at));
  spare = writer.bytes;
  return encoded;
}

interface Writer {
  bytes: Buffer;
  at: number;
}

const initialBytes = 16_384;
const keptBytes = 1_048_576;
let spare: Buffer | undefined;

const rawPrototype: object = Object.freeze(Object.create(null) as object);

function writeValue(writer: Writer, value: unknown, depth: number): void {
  if (typeof value === 'string') writeString(writer, value);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (value === null) writeByte(writer, 0xf6);
  else if (typeof value === 'boolean') writeByte(writer, value ? 0xf5 : 0xf4);
  else if (Array.isArray(value)) writeArray(writer, value, depth);
  else if (isPlainObject(value)) writeMap(writer, value, depth);
  else if (isRaw(value)) writeRaw(writer, value.raw);
  else throw new TypeError(`A value of type ${typeof value} has no canonical encoding.`);
}

function isRaw(value: unknown): value is RawCbor {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === rawPrototype;
}

function writeArray(writer: Writer, items: readonly unknown[], depth: number): void {
  checkDepth(depth);
  writeHead(writer, 0x80, items.length);
  for (let index = 0; index < items.length; index++) writeValue(writer, items[index], depth + 1);
}

function writeMap(writer: Writer, members: Readonly<Record<string, unknown>>, depth: number): void {
  checkDepth(depth);
  const keys = Object.keys(members);
  sortKeys(keys);
  writeHead(writer, 0xa0, keys.length);
  if (depth === 1) reserveRaw(writer, members, keys);
  for (const key of keys) {
    writeString(writer, key);
    writeValue(writer, members[key], depth + 1);
  }
}

/** Bytewise order of the encoded keys: the head of a longer string is greater, so length comes first. */
function sortKeys(keys: string[]): void {
  if (keys.length > 24) {
    keys.sort(compareKeys);
    return;
  }
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index]!;
    let place = index;
    for (; place > 0 && compareKeys(keys[place - 1]!, key) > 0; place--) keys[place] = keys[place - 1]!;
    keys[place] = key;
  }
}

function compareKeys(left: string, right: string): number {
  return Buffer.byteLength(left) - Buffer.byteLength(right) || comparePaths(left, right);
}

function checkDepth(depth: number): void {
  if (depth > maximumCborDepth)
    throw new ArtifactstoreError('invalid_value', `The value is nested more than ${maximumCborDepth} levels deep.`);
}

function writeString(writer: Writer, text: string): void {
  const { length } = text;
  if (length < shortText) {
    reserve(writer, length + 2);
    const { bytes } = writer;
    const head = length < 24 ? 1 : 2;
    const start = writer.at + head;
    let index = 0;
    for (; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) break;
      bytes[start + index] = unit;
    }
    if (index === length) {
      if (head === 1) bytes[writer.at] = 0x60 | length;
      else {
        bytes[writer.at] = 0x78;
        bytes[writer.at + 1] = length;
      }
      writer.at = start + length;
      return;
    }
  }
  if (!text.isWellFormed()) throw new ArtifactstoreError('invalid_value', 'A string has a lone surrogate.');
  const size = Buffer.byteLength(text);
  writeHead(writer, 0x60, size);
  reserve(writer, size);
  writer.at += writer.bytes.write(text, writer.at, size, 'utf8');
}

/** Up to here a loop over ASCII beats a call into native code. */
const shortText = 80;

function writeNumber(writer: Writer, value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value >= 0) writeHead(writer, 0x00, value);
    else writeHead(writer, 0x20, -1 - value);
    return;
  }
  if (!Number.isFinite(value)) throw new ArtifactstoreError('invalid_value', `There is no canonical form of the number ${value}.`);
  reserve(writer, 9);
  const { bytes, at } = writer;
  if (Math.fround(value) !== value) {
    bytes[at] = 0xfb;
    bytes.writeDoubleBE(value, at + 1);
    writer.at += 9;
    return;
  }
  const half = toFloat16(value);
  if (half === undefined) {
    bytes[at] = 0xfa;
    bytes.writeFloatBE(value, at + 1);
    writer.at += 5;
    return;
  }
  bytes[at] = 0xf9;
  bytes.writeUInt16BE(half, at + 1);
  writer.at += 3;
}

function writeHead(writer: Writer, major: number, argument: number): void {
  reserve(writer, 9);
  const { bytes, at } = writer;
  if (argument < 24) {
    bytes[at] = major | argument;
    writer.at += 1;
  } else if (argument < 0x100) {
    bytes[at] = major | 24;
    bytes[at + 1] = argument;
    writer.at += 2;
  } else if (argument < 0x10000) {
    bytes[at] = major | 25;
    bytes.writeUInt16BE(argument, at + 1);
    writer.at += 3;
  } else if (argument < 0x1_0000_0000) {
    bytes[at] = major | 26;
    bytes.writeUInt32BE(argument, at + 1);
    writer.at += 5;
  } else {
    bytes[at] = major | 27;
    bytes.writeUInt32BE(Math.floor(argument / 0x1_0000_0000), at + 1);
    bytes.writeUInt32BE(argument % 0x1_0000_0000, at + 5);
    writer.at += 9;
  }
}

function writeRaw(writer: Writer, raw: readonly Uint8Array[]): void {
  reserve(writer, lengthOf(raw));
  for (const piece of raw) {
    const { buffer } = piece;
    if (buffer instanceof ArrayBuffer && buffer.detached) throw new TypeError('What was encoded before is spent.');
    writer.bytes.set(piece, writer.at);
    writer.at += piece.length;
    if (buffer instanceof ArrayBuffer && piece.length === buffer.byteLength) buffer.transfer(0);
  }
}

/** Makes room for all long members at once, so that what was written before the second of them is not copied. */
function reserveRaw(writer: Writer, members: Readonly<Record<string, unknown>>, keys: readonly string[]): void {
  let size = 0;
  for (const key of keys) {
    const value = members[key];
    if (isRaw(value)) size += lengthOf(value.raw);
  }
  if (size > keptBytes) reserve(writer, size);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.length, 0);
}

function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.at++] = byte;
}

/**
 * Short values double their room. A long one is tens of megabytes, most of them in one piece, and what would be too
 * much would be as long again: it gets an eighth more, and what it leaves is given back at once.
 */
function reserve(writer: Writer, size: number): void {
  const needed = writer.at + size;
  const { bytes } = writer;
  if (needed <= bytes.length) return;
  const isLong = needed > keptBytes;
  const larger = Buffer.allocUnsafeSlow(isLong ? Math.ceil(needed * 1.125) : Math.max(needed, bytes.length * 2));
  larger.set(bytes.subarray(0, writer.at));
  writer.bytes = larger;
  if (isLong && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

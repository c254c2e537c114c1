import { Buffer } from 'node:buffer';
import { ArtifactstoreError } from '../error.ts';
import { maximumCborDepth } from './cbor-encoder.ts';
import { fromFloat16, toFloat16 } from './float16.ts';
import type { JsonValue } from './json-value.ts';

/**
 * Strict: takes exactly what `encodeCbor` produces, and throws `integrity_failure` on any other bytes. It allocates no
 * more than the input can fill, whatever lengths the input declares. A value of one byte takes dozens of memory: who
 * reads a stranger's bytes says how many values there may be.
 */
export function decodeCbor(bytes: Uint8Array, mostValues: number = Number.POSITIVE_INFINITY): JsonValue {
  const reader: Reader = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), at: 0, values: mostValues };
  const value = readValue(reader, 1);
  if (reader.at !== bytes.length) throw malformed(reader.at, 'there is something after the value');
  return value;
}

/**
 * Steps through bytes as strictly as `decodeCbor` takes them, for a value that is not wanted in memory as a whole.
 * Whoever steps sees to it that the keys of a map come in order.
 */
export interface CborSteps {
  at(): number;
  ended(): boolean;
  /** Steps into an array or a map, and tells its length; undefined where there is none, and nothing is stepped over. */
  into(kind: 'array' | 'map'): number | undefined;
  key(): string;
  value(): JsonValue;
}

export function stepThroughCbor(bytes: Uint8Array, at = 0): CborSteps {
  const reader: Reader = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), at, values: Number.POSITIVE_INFINITY };
  return {
    at: () => reader.at,
    ended: () => reader.at === bytes.length,
    into(kind) {
      const initial = reader.bytes[reader.at];
      return initial !== undefined && initial >> 5 === (kind === 'array' ? 4 : 5) ? readArgument(reader, initial) : undefined;
    },
    key: () => readKey(reader),
    value: () => readValue(reader, 1),
  };
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
  /** How many more there may be. */
  values: number;
}

function readValue(reader: Reader, depth: number): JsonValue {
  const start = reader.at;
  const initial = reader.bytes[start];
  if (initial === undefined) throw malformed(start, 'the input ends too soon');
  reader.values -= 1;
  if (reader.values < 0) throw malformed(start, 'there are more values than there may be');
  switch (initial >> 5) {
    case 0:
      return readArgument(reader, initial);
    case 1: {
      const argument = readArgument(reader, initial);
      if (argument === Number.MAX_SAFE_INTEGER) throw malformed(start, 'an integer is out of range');
      return -1 - argument;
    }
    case 3:
      return readText(reader, readArgument(reader, initial));
    case 4:
      return readArray(reader, initial, depth);
    case 5:
      return readMap(reader, initial, depth);
    case 7:
      return readSimple(reader, initial);
    default:
      throw malformed(start, initial >> 5 === 2 ? 'there is a byte string' : 'there is a tag');
  }
}

function readArray(reader: Reader, initial: number, depth: number): JsonValue {
  checkDepth(reader.at, depth);
  const length = readArgument(reader, initial);
  const items: JsonValue[] = [];
  for (let index = 0; index < length; index++) items.push(readValue(reader, depth + 1));
  return items;
}

function readMap(reader: Reader, initial: number, depth: number): JsonValue {
  checkDepth(reader.at, depth);
  const length = readArgument(reader, initial);
  const members: Record<string, JsonValue> = {};
  let previousStart = -1;
  let previousEnd = -1;
  for (let index = 0; index < length; index++) {
    const start = reader.at;
    const key = readKey(reader);
    const end = reader.at;
    if (previousStart >= 0 && !ascends(reader.bytes, previousStart, previousEnd, start, end))
      throw malformed(start, 'the keys of a map are not in order, each once');
    const value = readValue(reader, depth + 1);
    // Assigning to `__proto__` would change the prototype instead of adding a member.
    if (key === '__proto__') Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
    else members[key] = value;
    previousStart = start;
    previousEnd = end;
  }
  return members;
}

/** Whether one encoded key comes before the next. Heads are the shortest there are, so the shorter key does. */
function ascends(bytes: Buffer, left: number, leftEnd: number, right: number, rightEnd: number): boolean {
  if (leftEnd - left !== rightEnd - right) return leftEnd - left < rightEnd - right;
  let offset = 0;
  while (left + offset < leftEnd) {
    const difference = bytes[left + offset]! - bytes[right + offset]!;
    if (difference !== 0) return difference < 0;
    offset++;
  }
  return false;
}

/** The same few keys come again and again: a slot for each, replaced by whatever hashes to it next. */
const keySlots = 512;
const knownKeys: string[] = new Array(keySlots).fill('');

function readKey(reader: Reader): string {
  const { bytes, at } = reader;
  const initial = bytes[at];
  if (initial === undefined) throw malformed(at, 'the input ends too soon');
  if (initial >> 5 !== 3) throw malformed(at, 'a key is not text');
  let length = initial & 0x1f;
  let from = at + 1;
  if (length === 24 && bytes[from]! < 40) length = bytes[from++]!;
  else if (length >= 24) return readText(reader, readArgument(reader, initial));
  if (length < 24 && from === at + 2) throw malformed(at, 'a length is not in its shortest form');
  const to = from + length;
  let hash = length;
  for (let index = from; index < to; index++) hash = (hash * 31 + bytes[index]!) & 0xffffff;
  const slot = hash % keySlots;
  const known = knownKeys[slot]!;
  if (known.length === length) {
    let index = 0;
    while (index < length && known.charCodeAt(index) === bytes[from + index]) index++;
    if (index === length) {
      reader.at = to;
      return known;
    }
  }
  reader.at = from;
  const key = readText(reader, length);
  // Only ASCII has as many UTF-16 units as bytes, so that a match of the units is a match of the bytes.
  if (key.length === length) knownKeys[slot] = key;
  return key;
}

function readText(reader: Reader, length: number): string {
  const { bytes, at } = reader;
  if (length > bytes.length - at) throw malformed(at, 'the input ends too soon');
  const end = at + length;
  reader.at = end;
  if (isAscii(bytes, at, end)) return bytes.toString('latin1', at, end);
  try {
    return strictUtf8.decode(bytes.subarray(at, end));
  } catch (error) {
    throw malformed(at, 'a string is not UTF-8', error);
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isAscii(bytes: Buffer, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (bytes[index]! >= 0x80) return false;
  return true;
}

function readSimple(reader: Reader, initial: number): JsonValue {
  const start = reader.at;
  const { bytes } = reader;
  switch (initial) {
    case 0xf4:
      reader.at++;
      return false;
    case 0xf5:
      reader.at++;
      return true;
    case 0xf6:
      reader.at++;
      return null;
    case 0xf9: {
      need(reader, 3);
      const value = fromFloat16(bytes.readUInt16BE(start + 1));
      checkFloat(start, value);
      return value;
    }
    case 0xfa: {
      need(reader, 5);
      const value = bytes.readFloatBE(start + 1);
      checkFloat(start, value);
      if (toFloat16(value) !== undefined) throw malformed(start, 'a float is not in its shortest form');
      return value;
    }
    case 0xfb: {
      need(reader, 9);
      const value = bytes.readDoubleBE(start + 1);
      checkFloat(start, value);
      if (Math.fround(value) === value) throw malformed(start, 'a float is not in its shortest form');
      return value;
    }
    default:
      throw malformed(start, 'there is a simple value other than false, true and null');
  }
}

function checkFloat(start: number, value: number): void {
  if (!Number.isFinite(value)) throw malformed(start, 'a float is not finite');
  if (Number.isSafeInteger(value)) throw malformed(start, 'an integer is written as a float');
}

function readArgument(reader: Reader, initial: number): number {
  const { bytes, at } = reader;
  const short = initial & 0x1f;
  if (short < 24) {
    reader.at = at + 1;
    return short;
  }
  let argument: number;
  let smallest: number;
  switch (short) {
    case 24:
      need(reader, 2);
      argument = bytes[at + 1]!;
      smallest = 24;
      break;
    case 25:
      need(reader, 3);
      argument = bytes[at + 1]! * 0x100 + bytes[at + 2]!;
      smallest = 0x100;
      break;
    case 26:
      need(reader, 5);
      argument = bytes.readUInt32BE(at + 1);
      smallest = 0x10000;
      break;
    case 27:
      need(reader, 9);
      argument = bytes.readUInt32BE(at + 1) * 0x1_0000_0000 + bytes.readUInt32BE(at + 5);
      smallest = 0x1_0000_0000;
      break;
    default:
      throw malformed(at, short === 31 ? 'there is an indefinite length' : 'there is a reserved length');
  }
  if (argument < smallest) throw malformed(at, 'an integer or a length is not in its shortest form');
  if (argument > Number.MAX_SAFE_INTEGER) throw malformed(at, 'an integer or a length is out of range');
  return argument;
}

/** Steps over `size` bytes, which are there. */
function need(reader: Reader, size: number): void {
  if (size > reader.bytes.length - reader.at) throw malformed(reader.at, 'the input ends too soon');
  reader.at += size;
}

function checkDepth(at: number, depth: number): void {
  if (depth > maximumCborDepth) throw malformed(at, `the value is nested over ${maximumCborDepth} deep`);
}

function malformed(at: number, fault: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The CBOR is not canonical at byte ${at}: ${fault}.`, { cause });
}

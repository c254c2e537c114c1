import { toFloat16 } from '../../src/kernel/format/float16.ts';

/**
 * Canonical CBOR (docs/format.md, section 5) of a JSON value, as the log has its payloads. The kernel's own is written
 * for Node's buffers; a test holds both to the same bytes.
 */
export function canonicalCbor(value: unknown): Uint8Array<ArrayBuffer> {
  const writer: Writer = { bytes: new Uint8Array(1_024), at: 0 };
  write(writer, value);
  return writer.bytes.slice(0, writer.at);
}

interface Writer {
  bytes: Uint8Array<ArrayBuffer>;
  at: number;
}

const encoder = new TextEncoder();

function write(writer: Writer, value: unknown): void {
  if (typeof value === 'string') text(writer, encoder.encode(value));
  else if (typeof value === 'number') number(writer, value);
  else if (typeof value === 'boolean') append(writer, Uint8Array.of(value ? 0xf5 : 0xf4));
  else if (value === null) append(writer, Uint8Array.of(0xf6));
  else if (Array.isArray(value)) {
    head(writer, 4, value.length);
    for (const item of value) write(writer, item);
  } else if (typeof value === 'object') map(writer, value as Readonly<Record<string, unknown>>);
  else throw new TypeError(`A value of type ${typeof value} is not JSON.`);
}

/** Keys in the order of their encoded bytes: shorter ones first. */
function map(writer: Writer, value: Readonly<Record<string, unknown>>): void {
  const keys = Object.keys(value).map((key) => ({ key, bytes: encoder.encode(key) }));
  keys.sort((left, right) => left.bytes.length - right.bytes.length || compare(left.bytes, right.bytes));
  head(writer, 5, keys.length);
  for (const { key, bytes } of keys) {
    text(writer, bytes);
    write(writer, value[key]);
  }
}

function compare(left: Uint8Array, right: Uint8Array): number {
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return left[index]! - right[index]!;
  return 0;
}

function text(writer: Writer, bytes: Uint8Array): void {
  head(writer, 3, bytes.length);
  append(writer, bytes);
}

function number(writer: Writer, value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value >= 0) head(writer, 0, value);
    else head(writer, 1, -1 - value);
    return;
  }
  const view = new DataView(new ArrayBuffer(9));
  const half = Math.fround(value) === value ? toFloat16(value) : undefined;
  const size = half !== undefined ? 2 : Math.fround(value) === value ? 4 : 8;
  view.setUint8(0, size === 2 ? 0xf9 : size === 4 ? 0xfa : 0xfb);
  if (half !== undefined) view.setUint16(1, half);
  else if (size === 4) view.setFloat32(1, value);
  else view.setFloat64(1, value);
  append(writer, new Uint8Array(view.buffer, 0, size + 1));
}

function head(writer: Writer, major: number, length: number): void {
  const view = new DataView(new ArrayBuffer(9));
  const first = major << 5;
  let size = 0;
  if (length < 24) view.setUint8(0, first | length);
  else if (length < 0x100) {
    view.setUint8(0, first | 24);
    view.setUint8(1, length);
    size = 1;
  } else if (length < 0x1_0000) {
    view.setUint8(0, first | 25);
    view.setUint16(1, length);
    size = 2;
  } else if (length < 0x1_0000_0000) {
    view.setUint8(0, first | 26);
    view.setUint32(1, length);
    size = 4;
  } else {
    view.setUint8(0, first | 27);
    view.setBigUint64(1, BigInt(length));
    size = 8;
  }
  append(writer, new Uint8Array(view.buffer, 0, size + 1));
}

function append(writer: Writer, bytes: Uint8Array): void {
  if (writer.at + bytes.length > writer.bytes.length) {
    const longer = new Uint8Array(Math.max(2 * writer.bytes.length, writer.at + bytes.length));
    longer.set(writer.bytes.subarray(0, writer.at));
    writer.bytes = longer;
  }
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

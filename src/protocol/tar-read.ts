import { decodeUtf8, shown } from './part-head.ts';

/** The header of a tar entry: ustar, GNU or older. */
export interface TarHeader {
  /** As it stands there, with its prefix; undefined where it is not UTF-8. */
  readonly path: string | undefined;
  /** The path for people. */
  readonly shown: string;
  readonly mode: number;
  readonly sizeBytes: number;
  /** The type's letter; `0` for a plain file. */
  readonly type: string;
}

/** A header of 512 bytes, `end` for a block of zeros, or what is wrong with it, to follow "has". */
export function parseTarHeader(block: Uint8Array): TarHeader | 'end' | { readonly fault: string } {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  if (bytes.every((byte) => byte === 0)) return 'end';
  const stated = number(bytes.subarray(148, 156));
  const sum = bytes.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (stated !== sum) return { fault: 'a header whose checksum is wrong' };
  const size = number(bytes.subarray(124, 136));
  const mode = number(bytes.subarray(100, 108));
  if (size === undefined || mode === undefined) return { fault: 'a header with a number that is malformed' };
  const posix = bytes.subarray(257, 263).toString('latin1') === 'ustar\0';
  const name = upToZero(bytes.subarray(0, 100));
  const prefix = posix ? upToZero(bytes.subarray(345, 500)) : Buffer.alloc(0);
  const path = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
  const letter = bytes.subarray(156, 157).toString('latin1');
  return { path: decodeUtf8(path), shown: shown(path), mode, sizeBytes: size, type: letter === '\0' || letter === '7' ? '0' : letter };
}

/** The records of a pax header, the last of each key; undefined when malformed or not UTF-8. */
export function parsePaxRecords(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  while (rest.length > 0) {
    const digits = /^[1-9]\d{0,9} /.exec(rest.subarray(0, 11).toString('latin1'))?.[0];
    const length = Number(digits);
    if (digits === undefined || length > rest.length || rest[length - 1] !== 0x0a) return undefined;
    const record = decodeUtf8(rest.subarray(digits.length, length - 1));
    const equals = record?.indexOf('=') ?? -1;
    if (record === undefined || equals < 1) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    rest = rest.subarray(length);
  }
  return records;
}

/**
 * Octal text, or a large number in base 256 as GNU writes it; undefined when it is neither, negative, or more than a
 * number can say.
 */
function number(field: Buffer): number | undefined {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = /^[ ]*([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1];
  return text === undefined ? undefined : text === '' ? 0 : Number.parseInt(text, 8);
}

function upToZero(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

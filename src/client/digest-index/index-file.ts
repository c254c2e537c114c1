import { sameBytes, sha256, utf8 } from '../../kernel/content/digest.ts';
import type { TreeFile } from '../tree/walk.ts';

/** What a file of an index holds. */
export interface IndexContent {
  /** When it was saved, in milliseconds since the epoch. */
  readonly savedAt: number;
  /** By relative path: `recordBytes` bytes, the file's state and then the SHA-256 of its bytes. */
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/** What the system said of a file, size included, as five numbers of 64 bits. */
export const stateBytes = 40;
export const recordBytes = 72;

/** Longer ones are not read; what does not fit is not saved. */
export const maximumIndexBytes = 67_108_864;

const magic = utf8('artifactstore digest index 1\n\0\0\0');
const digestBytes = 32;
const bodyStart = magic.length + digestBytes;
/** In the body: when it was saved, and the number of records. */
const recordsStart = 16;

export function stateOf({ sizeBytes, status }: Pick<TreeFile, 'sizeBytes' | 'status'>): Uint8Array {
  const state = new BigUint64Array(stateBytes / 8);
  state[0] = status.device;
  state[1] = status.inode;
  state[2] = BigInt(sizeBytes);
  state[3] = status.modifiedNanoseconds;
  state[4] = status.changedNanoseconds;
  return new Uint8Array(state.buffer);
}

/**
 * The bytes of an index: a name and version, the SHA-256 of all that follows, the time as a double, the number of
 * records, the records, and their paths with a zero between them. It never leaves the machine: numbers are in its own
 * byte order.
 */
export function encodeIndex({ savedAt, records }: IndexContent): Uint8Array {
  const kept: [path: string, record: Uint8Array][] = [];
  let length = bodyStart + recordsStart;
  for (const [path, record] of records) {
    length += recordBytes + Buffer.byteLength(path) + 1;
    if (length > maximumIndexBytes) break;
    kept.push([path, record]);
  }
  const head = new Float64Array([savedAt, kept.length]);
  const body = Buffer.concat([
    new Uint8Array(head.buffer),
    ...kept.map(([, record]) => record),
    utf8(kept.map(([path]) => path).join('\0')),
  ]);
  return Buffer.concat([magic, sha256(body), body]);
}

/** Undefined for whatever was not written whole by this version. */
export function decodeIndex(bytes: Uint8Array): IndexContent | undefined {
  if (bytes.length < bodyStart + recordsStart || !sameBytes(bytes.subarray(0, magic.length), magic)) return undefined;
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset + bodyStart, bytes.length - bodyStart);
  if (!sameBytes(sha256(body), bytes.subarray(magic.length, bodyStart))) return undefined;
  const [savedAt = 0, count = 0] = new Float64Array(Uint8Array.from(body.subarray(0, recordsStart)).buffer);
  const pathsStart = recordsStart + count * recordBytes;
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8', pathsStart);
  const records = new Map<string, Uint8Array>();
  if (count > 0)
    for (const [index, path] of text.split('\0').entries()) {
      const start = recordsStart + index * recordBytes;
      records.set(path, body.subarray(start, start + recordBytes));
    }
  return records.size === count ? { savedAt, records } : undefined;
}

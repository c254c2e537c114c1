import { createHash } from 'node:crypto';

/** The bytes that a label stands for: mostly small, one in sixteen of more than a block. */
export function bytesOf(label: string): Uint8Array {
  const seed = createHash('sha256').update(label).digest();
  const size = seed[0]! % 16 === 0 ? 1_048_576 + seed.readUInt16BE(1) : seed.readUInt16BE(1) % 9000;
  return Buffer.alloc(size, seed);
}

import { Buffer } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import { type Blake3, type Hasher, loadNativeBlake3, loadWasmBlake3 } from './blake3.ts';

export type { Hasher } from './blake3.ts';

/**
 * A digest is BLAKE3 or SHA-256 of all bytes of a file. Every file has its SHA-256, whatever its primary one is; the
 * name of bytes by a digest is a `ContentAddress` (`address.ts`).
 */
export type Algorithm = 'blake3' | 'sha256';

/** The known algorithms with the length of their digests in bytes. */
export const algorithms: { readonly [A in Algorithm]: { readonly digestBytes: number } } = {
  blake3: { digestBytes: 32 },
  sha256: { digestBytes: 32 },
};

const engine: Blake3 = (await loadNativeBlake3()) ?? (await loadWasmBlake3());

export function createHasher(algorithm: Algorithm): Hasher {
  return hashers[algorithm]();
}

export function blake3(bytes: Uint8Array): Uint8Array {
  return engine.hash(bytes);
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'));
}

/** Of a few bytes at once, in lowercase hex: much cheaper than a hasher. */
export function digestHex(algorithm: Algorithm, bytes: Uint8Array): string {
  return algorithm === 'blake3' ? engine.hashHex(bytes) : hash('sha256', bytes, 'hex');
}

/** Lowercase hex. */
export function toHex(bytes: Uint8Array): string {
  // To name the memory of a short array, the engine would first move it out of its heap.
  if (bytes.length <= short.length) {
    short.set(bytes);
    return short.toString('hex', 0, bytes.length);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** The bytes of a lowercase hex string, or undefined when it is not one. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || /[^0-9a-f]/.test(hex)) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index++) bytes[index] = Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  return bytes;
}

/** UTF-8. A lone surrogate becomes U+FFFD; where that matters, the text has been checked before. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Compares public values; not in constant time. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

const encoder = new TextEncoder();
const short: Buffer = Buffer.allocUnsafeSlow(64);

const hashers: { readonly [A in Algorithm]: () => Hasher } = {
  blake3: () => engine.createHasher(),
  sha256: () => {
    const sha = createHash('sha256');
    return {
      update: (bytes) => {
        sha.update(bytes);
      },
      digest: () => new Uint8Array(sha.digest()),
    };
  },
};

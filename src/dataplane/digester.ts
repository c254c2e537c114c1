import { createHash } from 'node:crypto';
import { type Algorithm, blake3, createHasher, type Hasher } from '../kernel/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { blockBytes } from './DATAPLANE.ts';

/** All digests of one pass over some bytes: the primary, SHA-256, those that were declared, and BLAKE3 of every block. */
export interface Digester {
  /** A piece must not cross the end of a block. */
  update(piece: Uint8Array): void;
  finish(): Digested;
}

export interface Digested {
  readonly digests: ReadonlyMap<string, Uint8Array>;
  /** Undefined where the bytes are one block or less. */
  readonly blockDigests: Uint8Array | undefined;
}

export function createDigester(algorithms: Iterable<string>): Digester {
  const hashers = new Map<string, Hasher>();
  for (const algorithm of algorithms) hashers.set(algorithm, hasherOf(algorithm));
  const blocks = createBlockDigester();
  return {
    update(piece) {
      for (const hasher of hashers.values()) hasher.update(piece);
      blocks.update(piece);
    },
    finish() {
      const digests = new Map<string, Uint8Array>();
      for (const [algorithm, hasher] of hashers) digests.set(algorithm, hasher.digest());
      return { digests, blockDigests: blocks.finish() };
    },
  };
}

function hasherOf(algorithm: string): Hasher {
  const known = hashersByName[algorithm];
  if (known === undefined) {
    throw new ArtifactstoreError('invalid_value', `Digests by ${algorithm} are not known here`, { field: algorithm });
  }
  return known();
}

const hashersByName: Readonly<Record<string, () => Hasher>> = {
  blake3: () => createHasher('blake3' satisfies Algorithm),
  sha256: () => createHasher('sha256' satisfies Algorithm),
  sha512: () => {
    const hash = createHash('sha512');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  },
};

function createBlockDigester(): { update(piece: Uint8Array): void; finish(): Uint8Array | undefined } {
  const digests: Uint8Array[] = [];
  let size = 0;
  let started: Hasher | undefined;
  return {
    update(piece) {
      size += piece.byteLength;
      if (piece.byteLength === blockBytes) {
        digests.push(blake3(piece));
        return;
      }
      started ??= createHasher('blake3');
      started.update(piece);
      if (size % blockBytes === 0) {
        digests.push(started.digest());
        started = undefined;
      }
    },
    finish() {
      if (size <= blockBytes) return undefined;
      if (started !== undefined) digests.push(started.digest());
      return new Uint8Array(Buffer.concat(digests));
    },
  };
}

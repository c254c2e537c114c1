import { createHash } from 'node:crypto';
import { blake3, createHasher, type Hasher } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { blockBytes } from '../DATAPLANE.ts';

/**
 * All digests of one pass over some bytes: the primary, SHA-256, those that were declared, and BLAKE3 of every block.
 */
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

/** Throws `invalid_value` for an algorithm that is not known. */
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
  switch (algorithm) {
    case 'blake3':
    case 'sha256':
      return createHasher(algorithm);
    case 'md5':
    case 'sha1':
    case 'sha512': {
      const hash = createHash(algorithm);
      return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
    }
    default:
      throw new ArtifactstoreError('invalid_value', `Digests by ${algorithm} cannot be checked here`, { info: { algorithm } });
  }
}

function createBlockDigester(): { update(piece: Uint8Array): void; finish(): Uint8Array | undefined } {
  const digests: Uint8Array[] = [];
  let size = 0;
  let begun: Hasher | undefined;
  return {
    update(piece) {
      size += piece.byteLength;
      if (piece.byteLength === blockBytes) {
        digests.push(blake3(piece));
        return;
      }
      // What fits one block has no block digests: a file of one piece needs none of this.
      begun ??= createHasher('blake3');
      begun.update(piece);
      if (size % blockBytes === 0) {
        digests.push(begun.digest());
        begun = undefined;
      }
    },
    finish() {
      if (size <= blockBytes) return undefined;
      if (begun !== undefined) digests.push(begun.digest());
      return new Uint8Array(Buffer.concat(digests));
    },
  };
}

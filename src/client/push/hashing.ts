import { sameBytes } from '../../kernel/content/digest.ts';
import type { DigestIndex } from '../digest-index/digest-index.ts';
import { type HashedFile, hashFile, rememberedFile } from '../tree/read-file.ts';
import { createReadPace } from '../tree/read-pace.ts';
import type { TreeFile } from '../tree/walk.ts';

/** Where the digests of a directory's files come from. */
export interface Hashing {
  /** Remembered from an earlier push; undefined for a file that has to be read. */
  remembered(file: TreeFile): HashedFile | undefined;
  /** Of the file's bytes, whatever is remembered. */
  read(file: TreeFile, signal: AbortSignal): Promise<HashedFile>;
}

export interface HashingOptions {
  /** Nothing is remembered where absent. */
  readonly index?: DigestIndex | undefined;
  /** Every file is read, whatever is remembered. */
  readonly checksum?: boolean | undefined;
  /** Told once of a file that was taken as it is remembered. */
  readonly onRemembered?: ((relativePath: string) => void) | undefined;
  /** Told of a file whose bytes are others than those that are remembered for just this state of it. */
  readonly onWrong?: ((relativePath: string) => void) | undefined;
}

export function createHashing({ index, checksum = false, onRemembered, onWrong }: HashingOptions): Hashing {
  const told = new Set<string>();
  const pace = createReadPace();
  return {
    remembered(file) {
      const known = checksum ? undefined : index?.find(file);
      if (known === undefined) return undefined;
      if (!told.has(file.relativePath)) onRemembered?.(file.relativePath);
      told.add(file.relativePath);
      return rememberedFile(file, known);
    },
    async read(file, signal) {
      const known = index?.find(file);
      const begunAt = Date.now();
      const hashed = await hashFile(file, signal, pace);
      if (!hashed.isSteady) return hashed;
      const digest = hashed.digests.get('sha256')!;
      if (known !== undefined && !sameBytes(known, digest)) onWrong?.(file.relativePath);
      index?.remember(file, digest, begunAt);
      return hashed;
    },
  };
}

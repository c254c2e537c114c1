import type { TreeFile } from '../tree/walk.ts';
import { recordBytes, stateBytes, stateOf } from './index-file.ts';
import { type IndexPlace, indexPlace } from './index-folder.ts';

/**
 * The digests of a directory's files, as they were read before. What is asked for is answered only when everything
 * that the system says of a file is as it was then (`FileStatus`, and its size), which a change of its bytes alters: it
 * sets the file's `ctime`, and nobody can set that back.
 */
export interface DigestIndex {
  /** SHA-256 of the file's bytes; undefined when they have to be read. */
  find(file: TreeFile): Uint8Array | undefined;
  /**
   * Takes the digest of a file that was read from `begunAt` on, in milliseconds since the epoch, and that was after it
   * what it was when it was found.
   */
  remember(file: TreeFile, sha256: Uint8Array, begunAt: number): void;
  /** Keeps what was found and remembered for the next push, and nothing else. Never throws. */
  save(): void;
}

/**
 * A change in the same tick of the file system's clock as the one before it leaves all times as they were. So nothing
 * is remembered of a file that had changed less than this before it was read: git's rule of the racily clean entry
 * (Documentation/technical/racy-git.txt). File systems have ticks of up to two seconds.
 */
const marginMilliseconds = 2_500;

/**
 * A `ctime` that is a whole second was most likely not set by this system at a change: squashfs, ISO 9660, FAT and
 * sshfs have none of their own and show `mtime` in its place, and an image that is built again has the same each time.
 */
const second = 1_000_000_000n;

/** Of the directory `root`, kept below `cacheDirectory`. `now` is in milliseconds since the epoch. */
export function openDigestIndex(cacheDirectory: string, root: string, now: () => number = Date.now): DigestIndex {
  const place = indexPlace(cacheDirectory, root);
  const earlier = readEarlier(place, now());
  const kept = new Map<string, Uint8Array>();
  let isChanged = false;

  return {
    find(file) {
      const record = earlier.get(file.relativePath);
      if (record === undefined || Buffer.compare(stateOf(file), record.subarray(0, stateBytes)) !== 0) return undefined;
      kept.set(file.relativePath, record);
      return record.subarray(stateBytes);
    },
    remember(file, sha256, begunAt) {
      isChanged = true;
      kept.delete(file.relativePath);
      const latest = BigInt(Math.floor(begunAt - marginMilliseconds)) * 1_000_000n;
      const { changedNanoseconds, modifiedNanoseconds } = file.status;
      if (changedNanoseconds > latest || modifiedNanoseconds > latest || changedNanoseconds % second === 0n) return;
      const record = new Uint8Array(recordBytes);
      record.set(stateOf(file));
      record.set(sha256, stateBytes);
      kept.set(file.relativePath, record);
    },
    save() {
      if (kept.size === 0 && earlier.size === 0) return;
      if (isChanged || kept.size !== earlier.size) place.save({ savedAt: now(), records: kept });
      else place.touch();
    },
  };
}

/** One of the future was saved before the clock was set back: what changed since may have the same times. */
function readEarlier(place: IndexPlace, now: number): ReadonlyMap<string, Uint8Array> {
  const content = place.load();
  return content === undefined || content.savedAt > now ? new Map() : content.records;
}

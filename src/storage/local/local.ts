import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, lstat, mkdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { syncDirectory } from '../../runtime/durable-directory.ts';
import { errnoCode, fileError } from '../../runtime/file-error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import { draftsSegment, requireObjectKey } from '../object-key.ts';
import type { DraftDirectory, ListedObject, ObjectHead, Place, Storage } from '../STORAGE.ts';
import { writeDraft } from './draft.ts';
import { durableDirectories } from './durable-directories.ts';
import { localHealth } from './health.ts';
import { absentCodes, listDirectory } from './list.ts';
import { objectOpener } from './read.ts';
import { objectUnlinker } from './unlink.ts';

export interface LocalStorageOptions {
  readonly id: string;
  /** Objects lie at `<root>/<key>`, drafts at `<root>/drafts/<uuid>`. Only `create` makes it. */
  readonly root: string;
}

export type LocalStorage = Storage & { readonly drafts: DraftDirectory; readonly place: Place };

/**
 * A directory as a backend. Opening it touches nothing. An object is a name for a file whose bytes were fsynced before
 * the name was made, so a name that is there never shows torn bytes; a put has happened once the fsync of the name's
 * directory returns.
 */
export function openLocalStorage(options: LocalStorageOptions): LocalStorage {
  const { id } = options;
  const root = resolve(options.root);
  const draftDirectory = join(root, draftsSegment);
  let prepared = false;
  const directories = durableDirectories(root);
  const openObject = objectOpener();
  const unlinkObject = objectUnlinker(root);

  const below = root.endsWith(sep) ? root : `${root}${sep}`;
  // A legal key has no segment that joining would change.
  const pathOf = (key: string): string => below + requireObjectKey(key);

  /**
   * Runs on the way to "there is nothing": a root that was unmounted or removed holds everything, we just cannot see
   * it.
   */
  async function requireRoot(): Promise<void> {
    try {
      await stat(root);
    } catch (error) {
      throw fileError(error, root);
    }
  }

  /** Below a root that is there: one that is missing is not made. */
  async function prepare(): Promise<void> {
    if (prepared) return;
    try {
      await mkdir(draftDirectory).catch((error: unknown) => {
        if (errnoCode(error) !== 'EEXIST') throw error;
      });
      await syncDirectory(root);
    } catch (error) {
      throw fileError(error, root);
    }
    prepared = true;
  }

  /**
   * Gives the finished, fsynced file at `source` the name of `key`, replacing what has it, and makes the name durable.
   */
  async function name(source: string, key: string, give: (source: string, path: string) => Promise<void>): Promise<void> {
    const path = pathOf(key);
    const directory = dirname(path);
    try {
      await directories.ensure(directory);
      await give(source, path).catch(async (error: unknown) => {
        if (errnoCode(error) !== 'ENOENT') throw error;
        // Either the draft is gone, or somebody removed empty folders that we know as durable.
        await requireRoot();
        await requireDraft(source);
        directories.forget();
        await directories.ensure(directory);
        await give(source, path);
      });
      await directories.sync(directory);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  /** Link fails on a name that is taken; a second name for the draft is then renamed over it. */
  async function giveLink(source: string, path: string): Promise<void> {
    try {
      return await link(source, path);
    } catch (error) {
      const code = errnoCode(error) ?? '';
      if (code !== 'EEXIST' && !withoutLinks.has(code)) throw error;
    }
    const second = join(draftDirectory, randomUUID());
    try {
      await link(source, second).catch(async (error: unknown) => {
        if (!withoutLinks.has(errnoCode(error) ?? '')) throw error;
        await writeDraft(second, createReadStream(source, { highWaterMark: 1_048_576 }), {});
      });
      await rename(second, path);
    } finally {
      // A rename between two names of one file does nothing and reports success, so the second name may still be there.
      await unlinkQuietly(second);
    }
  }

  /**
   * False when the name is taken. Without links, somebody who makes it at the same moment is not seen, and the last one
   * counts.
   */
  async function giveNew(source: string, path: string): Promise<boolean> {
    await directories.ensure(dirname(path));
    try {
      await link(source, path);
    } catch (error) {
      const code = errnoCode(error) ?? '';
      if (code === 'EEXIST') return false;
      if (!withoutLinks.has(code)) throw error;
      if ((await lstat(path).catch(() => undefined)) !== undefined) return false;
      await rename(source, path);
    }
    await directories.sync(dirname(path));
    return true;
  }

  return {
    id,

    async put(key, source, putOptions = {}): Promise<void> {
      requireObjectKey(key);
      await prepare();
      const draft = join(draftDirectory, randomUUID());
      try {
        await writeDraft(draft, source, putOptions);
        throwIfStopped(putOptions.signal);
        await name(draft, key, rename);
      } finally {
        await unlinkQuietly(draft);
      }
    },

    async create(key, bytes, createOptions = {}): Promise<boolean> {
      const path = pathOf(key);
      await makeRoot(root, draftDirectory);
      const draft = join(draftDirectory, randomUUID());
      try {
        await writeDraft(draft, onePiece(bytes), createOptions);
        return await giveNew(draft, path);
      } catch (error) {
        throw fileError(error, path);
      } finally {
        await unlinkQuietly(draft);
      }
    },

    async get(key, getOptions = {}) {
      throwIfStopped(getOptions.signal);
      const reader = await openObject(pathOf(key), getOptions);
      if (reader === undefined) await requireRoot();
      return reader;
    },

    async head(key, headOptions = {}): Promise<ObjectHead | undefined> {
      throwIfStopped(headOptions.signal);
      const path = pathOf(key);
      try {
        const status = await lstat(path);
        if (status.isFile()) return { sizeBytes: status.size };
      } catch (error) {
        if (!absentCodes.has(errnoCode(error) ?? '')) throw fileError(error, path);
      }
      await requireRoot();
      return undefined;
    },

    // No fsync: a name that comes back after a power cut is a dead key with good bytes, which the next clean-up finds.
    // Folders stay: removing an empty one could race a put into it.
    async delete(key, deleteOptions = {}): Promise<void> {
      throwIfStopped(deleteOptions.signal);
      const path = pathOf(key);
      try {
        await unlinkObject(path);
      } catch (error) {
        const code = errnoCode(error) ?? '';
        if (code === 'EPERM' && (await isDirectory(path))) return;
        if (!absentCodes.has(code)) throw fileError(error, path);
        await requireRoot();
      }
    },

    async *list(prefix, listOptions = {}): AsyncGenerator<ListedObject> {
      await requireRoot();
      yield* listDirectory(root, '', prefix, listOptions.signal);
    },

    health: localHealth(root, draftDirectory, () => {
      prepared = false;
    }),

    place: {
      async there() {
        try {
          return (await stat(root)).isDirectory();
        } catch (error) {
          if (errnoCode(error) === 'ENOENT') return false;
          throw fileError(error, root);
        }
      },
      async identify(key) {
        const path = pathOf(key);
        try {
          const { dev, ino, ctimeNs } = await lstat(path, { bigint: true });
          return `${dev}:${ino}:${ctimeNs}`;
        } catch (error) {
          if (errnoCode(error) === 'ENOENT') return undefined;
          throw fileError(error, path);
        }
      },
    },

    drafts: { directory: draftDirectory, prepare, publish: (draftPath, key) => name(draftPath, key, giveLink) },
  };
}

async function makeRoot(root: string, draftDirectory: string): Promise<void> {
  try {
    const firstMade = await mkdir(draftDirectory, { recursive: true });
    await syncDirectory(root);
    // Every directory above that gained an entry, and the root's parent in any case: who made the root may have
    // crashed.
    const top = dirname(firstMade === undefined || firstMade.length > root.length ? root : firstMade);
    for (let directory = root; directory !== top; ) {
      directory = dirname(directory);
      await syncDirectory(directory).catch((error: unknown) => {
        if (errnoCode(error) !== 'EACCES') throw error;
      });
    }
  } catch (error) {
    throw fileError(error, root);
  }
}

async function requireDraft(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) === undefined) {
    throw new ArtifactstoreError('storage_unavailable', `The draft at ${path} is gone; send the bytes again`);
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function unlinkQuietly(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path)).isDirectory();
}

/** The file system has no hard links, or the two names are not on the same one. */
const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

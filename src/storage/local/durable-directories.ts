import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../runtime/durable-directory.ts';
import { errnoCode } from '../../runtime/file-error.ts';
import { createRounds } from '../../runtime/rounds.ts';

/** Makes directories and the names in them survive a power cut, with as few fsyncs as that takes. */
export interface DurableDirectories {
  /** Makes `directory` and its missing parents below the root, each durable in its parent. */
  ensure(directory: string): Promise<void>;
  /** Resolves when every change of the directory's entries that was made before the call is durable. */
  sync(directory: string): Promise<void>;
  /** Forgets what was known to be durable: somebody removed directories behind our back. */
  forget(): void;
}

export function durableDirectories(root: string): DurableDirectories {
  // A directory that another process has made is not durable until somebody fsynced its parent, so only what this
  // process has fsynced counts as known. Insertion order makes the set a queue.
  const known = new Set<string>();
  const syncs = new Map<string, DirectorySync>();
  const rounds = createRounds();

  async function ensure(directory: string): Promise<void> {
    if (directory === root || known.has(directory)) return;
    const parent = dirname(directory);
    await ensure(parent);
    await makeDirectory(directory);
    await sync(parent);
    if (known.size >= maximumKnown) known.delete(known.values().next().value!);
    known.add(directory);
  }

  // An fsync that has started may have missed a change made after it, so a waiter joins the next one: one in flight,
  // one queued. When the one in flight fails, so do those who wait behind it: the kernel tells of a failure once, and
  // may call the next good.
  function sync(directory: string): Promise<void> {
    const current = syncs.get(directory);
    if (current === undefined) {
      const running: DirectorySync = {
        next: undefined,
        done: rounds(() => syncDirectory(directory)).finally(() => advance(directory, running)),
      };
      syncs.set(directory, running);
      return running.done;
    }
    current.next ??= current.done.then(() => sync(directory));
    return current.next;
  }

  function advance(directory: string, finished: DirectorySync): void {
    if (syncs.get(directory) === finished) syncs.delete(directory);
  }

  return { ensure, sync, forget: () => known.clear() };
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}

interface DirectorySync {
  readonly done: Promise<void>;
  next: Promise<void> | undefined;
}

/**
 * Two algorithms' worth of `ab/cd` folders; past that the oldest are fsynced again, which costs time and nothing else.
 */
const maximumKnown = 2 * (65_536 + 256 + 1);

import { signal } from '@preact/signals';
import { refresh } from '../api/refresh.ts';
import { formatCount } from '../format.ts';
import { announce } from '../parts/announce.tsx';
import { session } from '../session.ts';
import { upload as text } from '../strings/upload.ts';
import { waitBefore } from './after-refusal.ts';
import { hashFile } from './hash.ts';
import { acknowledged, type Item, isOpen, NeverAPath, refuse } from './item.ts';
import { type Chosen, chosenOnce, clashesOf, wrongSegment } from './paths.ts';
import { endBatchesBy, runningBatch } from './running.ts';
import { sendFile } from './send-file.ts';
import { pause, untilConnected, untilSignedIn } from './waiting.ts';

/** Files that are added to one package. It outlives the page that shows it, until the tab is closed. */
export interface Batch {
  readonly packageId: string;
  readonly items: readonly Item[];
  /** Goes up when something of it has changed, at most ten times a second. */
  readonly version: { readonly value: number };
  readonly paused: { readonly value: boolean };
  /** Somebody must sign in before it continues. */
  readonly asking: { readonly value: boolean };
  /** Whose files they are: nothing is sent in the name of anybody else before they have said so. */
  readonly owner: { readonly value: string };
  add(files: readonly Chosen<File>[]): void;
  pause(): void;
  resume(): void;
  /** Continues it in the name of somebody else, who has been asked. */
  takeOver(actor: string): void;
  /** Those that were refused are tried again, where that can help; with `only` that one. */
  retry(only?: Item): void;
  /** Ends it: what is stored stays, what has begun stays on the server until it expires. */
  stop(): void;
}

/** So many files are read and sent at once. */
const atOnce = 4;
const redrawMilliseconds = 100;

const batches = new Map<string, Batch>();
/** Goes up with each batch that begins or ends. */
export const batchesChanged = signal(0);

export function batchOf(packageId: string): Batch | undefined {
  return batches.get(packageId);
}

/** Whoever signs in is asked about what the person before has begun; a list of which nothing is open goes with them. */
session.subscribe(({ who, tookOver }) => {
  if (who === undefined) return;
  for (const batch of [...batches.values()]) {
    if (batch.owner.value === who.actor) continue;
    if (tookOver === true) batch.takeOver(who.actor);
    else if (batch.items.some(isOpen)) batch.pause();
    else batch.stop();
  }
});
endBatchesBy(() => {
  for (const batch of [...batches.values()]) batch.stop();
});

/** Adds files to a package, beside those that are on their way there. */
export function addFiles(packageId: string, files: readonly Chosen<File>[]): Batch {
  const batch = batches.get(packageId) ?? createBatch(packageId);
  batches.set(packageId, batch);
  batch.add(files);
  batchesChanged.value += 1;
  return batch;
}

function createBatch(packageId: string): Batch {
  const items: Item[] = [];
  const version = signal(0);
  const paused = signal(false);
  const asking = signal(false);
  const owner = signal(session.peek().who?.actor ?? '');
  let controller = new AbortController();
  // For paths that are on their way already: added when those have arrived, and so compared with what is stored.
  let later: readonly Chosen<File>[] = [];
  let at = 0;
  let workers = 0;
  let toldNotOpen = false;
  let over = false;
  let redraw: ReturnType<typeof setTimeout> | undefined;

  const changed = (): void => {
    // What was under way when it was stopped says so later.
    if (over) return;
    redraw ??= setTimeout(() => {
      redraw = undefined;
      version.value += 1;
      tellRunning();
    }, redrawMilliseconds);
  };
  const tellRunning = (): void => {
    const open = items.filter(isOpen);
    const total = items.reduce((sum, { file }) => sum + file.size, 0);
    const done = items.reduce((sum, item) => sum + acknowledged(item), 0);
    runningBatch.value =
      open.length === 0
        ? undefined
        : {
            packageId,
            percent: Math.floor((100 * (total === 0 ? items.length - open.length : done)) / (total === 0 ? items.length : total)),
            paused: paused.value,
          };
  };

  const work = async (): Promise<void> => {
    workers += 1;
    for (let item = next(); item !== undefined; item = next()) await bring(item);
    workers -= 1;
    if (workers === 0 && !paused.peek()) ended();
  };
  const next = (): Item | undefined => {
    if (paused.peek() || controller.signal.aborted) return undefined;
    for (; at < items.length; at++) if (items[at]!.state === 'waiting') return items[at++];
    return undefined;
  };
  const start = (): void => {
    at = 0;
    for (let missing = Math.min(atOnce, items.length) - workers; missing > 0; missing--) void work();
    changed();
  };
  const ended = (): void => {
    if (later.length > 0) {
      const files = later;
      later = [];
      add(files);
      return;
    }
    const refused = items.filter(({ state }) => state === 'refused').length;
    announce(refused === 0 ? text.announceStored : text.announceRefused(refused, formatCount(refused)));
    changed();
    refresh();
  };

  const bring = async (item: Item): Promise<void> => {
    const { signal: stopped } = controller;
    try {
      const wrong = wrongSegment(item.path);
      if (wrong !== undefined) throw new NeverAPath(wrong === '' ? text.faults.empty : text.faults.segment(wrong));
      item.state = 'hashing';
      item.bytes = 0;
      changed();
      item.sha256 ??= await hashFile(item.file, (bytes) => told(item, bytes), stopped);
      for (const other of item.again)
        if ((await hashFile(other, () => undefined, stopped)) !== item.sha256) throw new NeverAPath(text.faults.twice, 'path_conflict');
      item.state = 'sending';
      told(item, 0);
      const { existed } = await sendFile({
        packageId,
        path: item.path,
        file: item.file,
        sha256: item.sha256,
        signal: stopped,
        onAcknowledged: (bytes) => told(item, bytes),
        onWhole() {
          item.state = 'finishing';
          changed();
        },
        async wait(attempt) {
          item.state = 'sending';
          await untilConnected(stopped);
          await pause(waitBefore(attempt, Math.random()), stopped);
        },
        async signIn(refused) {
          item.state = 'sending';
          asking.value = true;
          await untilSignedIn(refused, stopped).finally(() => {
            asking.value = false;
          });
        },
      });
      item.state = existed ? 'existed' : 'stored';
      item.bytes = item.file.size;
    } catch (error) {
      if (stopped.aborted) {
        item.state = 'waiting';
        // It may be behind those that were looked at since.
        at = 0;
      } else {
        refuse(item, error);
        if (item.code === 'package_not_open') notOpen();
      }
    }
    changed();
  };
  /** Somebody has sealed or abandoned it meanwhile: the page shows that now, not when the last file was refused. */
  const notOpen = (): void => {
    if (toldNotOpen) return;
    toldNotOpen = true;
    refresh();
  };
  const told = (item: Item, bytes: number): void => {
    item.bytes = bytes;
    changed();
  };

  const add = (files: readonly Chosen<File>[]): void => {
    const open = new Set(items.filter(isOpen).map(({ path }) => path));
    later = chosenOnce(
      later,
      files.filter(({ path }) => open.has(path)),
    );
    const fresh = files.filter(({ path }) => !open.has(path));
    const paths = fresh.map(({ path }) => path);
    const doubled = clashesOf(paths);
    // What was refused before, or is stored, is replaced by the same path.
    const replaced = new Set(paths);
    const kept = items.filter(({ path }) => !replaced.has(path));
    items.length = 0;
    for (const item of kept) items.push(item);
    for (const { file, path, again = [] } of fresh) {
      const item: Item = {
        path,
        file,
        again,
        state: 'waiting',
        bytes: 0,
        sha256: undefined,
        problem: undefined,
        code: undefined,
        isFinal: false,
      };
      if (doubled.has(path)) refuse(item, new NeverAPath(text.faults.twice, 'path_conflict'));
      items.push(item);
    }
    paused.value = false;
    start();
  };

  return {
    packageId,
    items,
    version,
    paused,
    asking,
    owner,
    add,
    pause() {
      paused.value = true;
      controller.abort(new Error('paused'));
      controller = new AbortController();
      changed();
    },
    resume() {
      paused.value = false;
      start();
    },
    takeOver(actor) {
      owner.value = actor;
    },
    retry(only) {
      for (const item of only === undefined ? items : [only])
        if (item.state === 'refused' && !item.isFinal) {
          item.state = 'waiting';
          item.problem = undefined;
          item.sha256 = undefined;
        }
      paused.value = false;
      start();
    },
    stop() {
      over = true;
      controller.abort(new Error('stopped'));
      paused.value = true;
      batches.delete(packageId);
      if (runningBatch.peek()?.packageId === packageId) runningBatch.value = undefined;
      clearTimeout(redraw);
      redraw = undefined;
      batchesChanged.value += 1;
      refresh();
    },
  };
}

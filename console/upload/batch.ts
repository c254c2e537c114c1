import { signal } from '@preact/signals';
import { Problem } from '../api/problem.ts';
import { refresh } from '../api/refresh.ts';
import { asProblem } from '../api/resource.ts';
import { formatCount } from '../format.ts';
import { announce } from '../parts/announce.tsx';
import { upload as text } from '../strings/upload.ts';
import { waitBefore } from './after-refusal.ts';
import { hashFile, UnreadableFile } from './hash.ts';
import { type Chosen, twice, wrongSegment } from './paths.ts';
import { runningBatch } from './running.ts';
import { sendFile } from './send-file.ts';
import { pause, untilConnected, untilSignedIn } from './waiting.ts';

export type ItemState = 'waiting' | 'hashing' | 'sending' | 'finishing' | 'stored' | 'existed' | 'refused';

/** A file on its way into a package. It changes in place; `Batch.version` says when. */
export interface Item {
  readonly path: string;
  readonly file: File;
  /** Files that were chosen for the same path and are as long: their bytes have to be the same. */
  readonly again: readonly File[];
  state: ItemState;
  /** Of what it is doing: read here, or acknowledged by the server. */
  bytes: number;
  sha256: string | undefined;
  /** In words, where it was refused. */
  problem: string | undefined;
  code: string | undefined;
}

/** Files that are added to one package. It outlives the page that shows it, until the tab is closed. */
export interface Batch {
  readonly packageId: string;
  readonly items: readonly Item[];
  /** Goes up when something of it has changed, at most ten times a second. */
  readonly version: { readonly value: number };
  readonly paused: { readonly value: boolean };
  /** Somebody must sign in before it continues. */
  readonly asking: { readonly value: boolean };
  add(files: readonly Chosen<File>[]): void;
  pause(): void;
  resume(): void;
  /** Those that were refused are tried again; with `only` that one. */
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

export function isOnItsWay({ state }: Item): boolean {
  return state === 'hashing' || state === 'sending' || state === 'finishing';
}

/** Bytes of it that the server has said it has. */
export function acknowledged(item: Item): number {
  return isStored(item) ? item.file.size : item.state === 'sending' || item.state === 'finishing' ? item.bytes : 0;
}

export function isStored({ state }: Item): boolean {
  return state === 'stored' || state === 'existed';
}

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
  let controller = new AbortController();
  let at = 0;
  let workers = 0;
  let toldNotOpen = false;
  let redraw: ReturnType<typeof setTimeout> | undefined;

  const changed = (): void => {
    redraw ??= setTimeout(() => {
      redraw = undefined;
      version.value += 1;
      tellRunning();
    }, redrawMilliseconds);
  };
  const tellRunning = (): void => {
    const open = items.filter((item) => item.state === 'waiting' || isOnItsWay(item));
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
    const refused = items.filter(({ state }) => state === 'refused').length;
    announce(refused === 0 ? text.announceStored : text.announceRefused(formatCount(refused)));
    changed();
    refresh();
  };

  const bring = async (item: Item): Promise<void> => {
    const { signal: stopped } = controller;
    try {
      const wrong = wrongSegment(item.path);
      if (wrong !== undefined) throw refusal(wrong === '' ? text.faults.empty : text.faults.segment(wrong));
      item.state = 'hashing';
      item.bytes = 0;
      changed();
      item.sha256 ??= await hashFile(item.file, (bytes) => told(item, bytes), stopped);
      for (const other of item.again)
        if ((await hashFile(other, () => undefined, stopped)) !== item.sha256) throw refusal(text.faults.twice);
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

  return {
    packageId,
    items,
    version,
    paused,
    asking,
    add(files) {
      const open = new Set(items.filter((item) => !isStored(item) && item.state !== 'refused').map(({ path }) => path));
      const doubled = twice(files.map(({ path }) => path));
      // What was refused before, or is stored, is replaced by the same path.
      const replaced = new Set(files.map(({ path }) => path).filter((path) => !open.has(path)));
      const kept = items.filter(({ path }) => !replaced.has(path));
      items.length = 0;
      for (const item of kept) items.push(item);
      for (const { file, path, again = [] } of files) {
        const item: Item = { path, file, again, state: 'waiting', bytes: 0, sha256: undefined, problem: undefined, code: undefined };
        if (doubled.has(path) || open.has(path)) refuse(item, refusal(text.faults.twice));
        items.push(item);
      }
      paused.value = false;
      start();
    },
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
    retry(only) {
      for (const item of only === undefined ? items : [only])
        if (item.state === 'refused') {
          item.state = 'waiting';
          item.problem = undefined;
          item.sha256 = undefined;
        }
      paused.value = false;
      start();
    },
    stop() {
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

function refusal(detail: string): Problem {
  return new Problem({ code: 'invalid_path', status: 400, title: '', detail });
}

function refuse(item: Item, error: unknown): void {
  item.state = 'refused';
  if (error instanceof UnreadableFile) {
    item.problem = text.faults.unreadable;
    item.code = undefined;
    return;
  }
  const problem = asProblem(error);
  item.code = problem.code;
  item.problem =
    problem.code === 'digest_mismatch'
      ? text.faults.changed
      : problem.code === 'upload_superseded'
        ? text.faults.superseded
        : problem.message;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Threads that start from now on have the young generation that their own limits say. Left alone,
 * `--max-semi-space-size` on the command line or in `NODE_OPTIONS`, which is meant for the main thread, holds for every
 * thread in place of them. The main thread keeps its own: V8 reads the flag when a heap is made.
 */
export function leaveThreadsTheirLimits(): void {
  setFlagsFromString('--max-semi-space-size=0');
}

/**
 * Gives the memory that starting took back to the system. Left alone, the engine keeps the young generation that
 * loading the code has grown, about 25 MB, for as long as the process lives. Takes some 50 ms, so it is done before the
 * first request.
 */
export function releaseStartMemory(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/**
 * Gives memory back while this thread's heap is larger than `largeBytes`. Left alone, the engine takes some share of
 * the machine's memory before it looks what of it is still used, however little that is. A collection takes up to a
 * tenth of a second, and takes the room for what is just being made, which busy work then asks for again: `isWorthIt`
 * says when it is done. Returns what ends it.
 */
export function giveBackMemory(largeBytes: number): () => void {
  let collect: ReturnType<typeof collector> | undefined;
  let last: Collected = { at: 0, young: 0, old: 0, outside: 0, took: 0 };
  isDue = () => hasMuchLeft(heapSize(), last, largeBytes, residentBytes());
  const timer = setInterval(() => {
    if (!isWorthIt(heapSize(), last, largeBytes, residentBytes(), waiting > 0)) return;
    const { user, system } = process.threadCpuUsage();
    collect ??= collector();
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    const spent = process.threadCpuUsage({ user, system });
    last = { ...heapSize(), took: (spent.user + spent.system) / 1000 };
  }, lookMilliseconds);
  timer.unref();
  return () => {
    clearInterval(timer);
    isDue = () => false;
  };
}

/** Whether a collection by `giveBackMemory` is due in this thread, were it not for the time that the last one took. */
let isDue = (): boolean => false;
/** How many wait for it. */
let waiting = 0;

/**
 * Resolves when no collection is due in this thread, or after so long. Who is about to make tens of megabytes of
 * objects, and can wait, lets what others have left be given back first: collections are bounded in time, and what is
 * made between two of them is not.
 */
export async function afterCollection(milliseconds = 2_000): Promise<void> {
  waiting += 1;
  for (const end = performance.now() + milliseconds; isDue() && performance.now() < end; ) await sleep(lookMilliseconds / 4);
  waiting -= 1;
}

const lookMilliseconds = 100;
const againMilliseconds = 250;
/** Collections take an eighth of the time at most, and a quarter where they are waited for, or the process has much. */
const timesItsTime = 8;
const timesWhenPressed = 4;
const calmMilliseconds = 10_000;
/** A server at work has some 360 MiB of the system, of which 70 are the program itself. */
const muchResidentBytes = 469_762_048;

/**
 * What a heap has taken of the system, in bytes: for what was just made, for what is older, and outside of itself for
 * bytes that live as long as something in it.
 */
export interface HeapSize {
  /** In milliseconds. */
  readonly at: number;
  readonly young: number;
  readonly old: number;
  readonly outside: number;
}

/** What the last collection left, and the milliseconds of this thread's time that it took. */
export interface Collected extends HeapSize {
  readonly took: number;
}

/**
 * Whether to collect a heap that had the size `last` after the last collection. The old part and what is outside grow
 * without a bound, within some tenths of a second where many long bodies arrive: together they may have five sixths of
 * `largeBytes`, which a push of many small files does not reach. The young part has a bound of the engine's and grows
 * with the work alone: where only it makes the heap large, every ten seconds are enough. Where the process has much
 * already, in all its threads (`resident`, in bytes), each of them may have half of `largeBytes`, of all kinds: what
 * they leave at one time adds up. Never while the last collection was of little use, nor soon after a long one.
 */
export function isWorthIt(now: HeapSize, last: Collected, largeBytes: number, resident = 0, isAwaited = false): boolean {
  const spent = now.at - last.at;
  const times = resident > muchResidentBytes || isAwaited ? timesWhenPressed : timesItsTime;
  if (spent < Math.max(againMilliseconds, last.took * times)) return false;
  if (hasMuchLeft(now, last, largeBytes, resident)) return true;
  const all = now.old + now.young;
  return spent >= calmMilliseconds && all > largeBytes && all > (last.old + last.young) * 1.25;
}

function hasMuchLeft(now: HeapSize, last: Collected, largeBytes: number, resident: number): boolean {
  const [kept, keptThen] = [now.old + now.outside, last.old + last.outside];
  if (kept > (largeBytes * 5) / 6 && kept > keptThen * 1.25) return true;
  const all = kept + now.young;
  return resident > muchResidentBytes && all > largeBytes / 2 && all > (keptThen + last.young) * 1.25;
}

/** Of the whole process; 0 where nobody can say, as where it has no more files to open. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}

/** That of this thread, now. */
export function heapSize(): HeapSize {
  let young = 0;
  let old = 0;
  for (const { space_name: name, space_size: bytes } of getHeapSpaceStatistics())
    if (name.startsWith('new_')) young += bytes;
    else old += bytes;
  return { at: performance.now(), young, old, outside: getHeapStatistics().external_memory };
}

function collector(): (options: CollectOptions) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: CollectOptions) => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

interface CollectOptions {
  readonly type: 'major';
  readonly execution: 'sync';
  /** The one that also gives back. */
  readonly flavor?: 'last-resort';
}

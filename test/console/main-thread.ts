import type { Page } from 'playwright-core';

/**
 * What the page's own thread did, in milliseconds. Its processor time is counted, not the clock: beside other work on
 * the machine a frame is late that nothing in the page has held up.
 */
export interface MainThread {
  /** Of the task that took longest. */
  readonly longestTask: number;
  /** Of all tasks between two frames that an animation was asked for, the most. */
  readonly longestFrame: number;
  /** The same by the clock. */
  readonly longestFrameWall: number;
  readonly frames: number;
  readonly total: number;
  /** What the longest task did, for whoever has to mend it. */
  readonly because: string;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** Of the thread alone. */
  readonly tdur?: number;
  readonly args: { readonly name?: string; readonly data?: { readonly functionName?: string; readonly type?: string } };
}

/** Traces the page while something is done. */
export async function traceMainThread(page: Page, act: () => Promise<void>): Promise<MainThread> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', '__metadata'] });
  const trace = await act().then(
    () => browser.stopTracing(),
    async (error: unknown) => {
      await browser.stopTracing();
      throw error;
    },
  );
  const { traceEvents } = JSON.parse(trace.toString('utf8')) as { readonly traceEvents: readonly TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const mains = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(threadOf));
  const events = traceEvents.filter((event) => event.ph === 'X' && mains.has(threadOf(event))).sort((one, other) => one.ts - other.ts);
  const tasks = events.filter(({ name }) => name.endsWith('RunTask'));
  if (tasks.length === 0 || tasks.every(({ tdur = 0 }) => tdur === 0)) throw new Error('the trace has no tasks with their processor time');
  const cpu = (event: TraceEvent): number => (event.tdur ?? 0) / 1_000;
  const longest = tasks.reduce((one, other) => (cpu(other) > cpu(one) ? other : one));
  const starts = events.filter(({ name }) => name === 'FireAnimationFrame').map(({ ts }) => ts);
  const frames = starts.slice(1).map((end, index) => ({ from: starts[index]!, end, cpu: 0 }));
  let at = 0;
  for (const task of tasks) {
    while (at < frames.length && frames[at]!.end <= task.ts + (task.dur ?? 0)) at += 1;
    const frame = frames[at];
    if (frame !== undefined && task.ts + (task.dur ?? 0) > frame.from) frame.cpu += cpu(task);
  }
  return {
    longestTask: cpu(longest),
    longestFrame: Math.max(0, ...frames.map((frame) => frame.cpu)),
    longestFrameWall: Math.max(0, ...frames.map(({ from, end }) => (end - from) / 1_000)),
    frames: frames.length,
    total: tasks.reduce((sum, task) => sum + cpu(task), 0),
    because: within(longest, events),
  };
}

/**
 * Measures up to three times, until it is as it should be. What a machine gives to others in the middle of a task is
 * sometimes counted as time of that task: it is not there each time, and what the page itself does is.
 */
export async function calmest<T>(measure: (attempt: number) => Promise<T>, isGood: (found: T) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const found = await measure(attempt);
    if (attempt === 3 || isGood(found)) return found;
  }
}

/** When the page had this, in its milliseconds. What is painted can be found in a page before it is told so. */
export async function performanceEntry(page: Page, type: 'mark' | 'paint', name: string): Promise<number> {
  return await page.evaluate<number>(`new Promise((resolve) => {
    new PerformanceObserver((list, observer) => {
      const [found] = list.getEntriesByName('${name}');
      if (found === undefined) return;
      observer.disconnect();
      resolve(found.startTime);
    }).observe({ type: '${type}', buffered: true });
  })`);
}

/** What the page has in its JavaScript heap after a collection, in bytes. */
export async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

function within(task: TraceEvent, events: readonly TraceEvent[]): string {
  const end = task.ts + (task.dur ?? 0);
  return events
    .filter((event) => event !== task && threadEquals(event, task) && event.ts >= task.ts && event.ts + (event.dur ?? 0) <= end)
    .sort((one, other) => (other.dur ?? 0) - (one.dur ?? 0))
    .slice(0, 6)
    .map(({ name, dur = 0, args }) => `${name} ${args.data?.functionName ?? args.data?.type ?? ''} ${(dur / 1_000).toFixed(1)} ms`)
    .join(', ');
}

function threadEquals(one: TraceEvent, other: TraceEvent): boolean {
  return one.pid === other.pid && one.tid === other.tid;
}

import { isArtifactstoreError } from '../../kernel/error.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { RegistryParts, Settler } from '../context.ts';
import { incident } from '../incident.ts';
import type { HeldKey, HeldName, HeldObject } from '../operations/held.ts';
import { tryRemoveDead } from './remove-dead.ts';

const lagMilliseconds = 500;
/**
 * A burst has the disk and the processor for itself: while more is held or written all the time, settling waits, also
 * in its middle, but not for long, and not for more than so many objects or bytes: the file of the database grows by
 * what waits.
 */
const burst = { quietMilliseconds: 400, longestMilliseconds: 10_000, objects: 20_000, bytes: 67_108_864 };
/** What nobody has settled for so long is taken for left behind. */
const defaultLeftMilliseconds = 30_000;
/** How long an unavailable backend is left alone. */
const retryMilliseconds = { first: 1_000, longest: 30_000 };
const objectsPerBatch = 128;
const bytesPerBatch = 8_388_608;
const putsAtOnce = 16;
const listedAtOnce = 10_000;
const mostWaiting = 200_000;
const actor = 'settler';

export function createSettler(parts: RegistryParts, options: { readonly leftMilliseconds?: number } = {}): Settler {
  const { leftMilliseconds = defaultLeftMilliseconds } = options;
  const configured = new Set(parts.backendIds);
  const backends = new Map<string, Backend>();
  let watching: NodeJS.Timeout | undefined;
  let lastSeen = 0;
  /** How often somebody wrote, and how much of that was seen; by `uptime`, when there was more last. */
  let writes = 0;
  let seenWrites = 0;
  let lastWritten = Number.NEGATIVE_INFINITY;
  let draining = 0;
  let closed = false;

  interface Backend {
    readonly waiting: Map<number, HeldName>;
    /** The sum of their sizes. */
    bytes: number;
    timer: NodeJS.Timeout | undefined;
    working: Promise<void> | undefined;
    failures: number;
    full: boolean;
    /** By `uptime`: when something began to wait, and when something came last. */
    since: number;
    last: number;
  }

  function backendOf(id: string): Backend {
    let backend = backends.get(id);
    if (backend === undefined) {
      backend = { waiting: new Map(), bytes: 0, timer: undefined, working: undefined, failures: 0, full: false, since: 0, last: 0 };
      backends.set(id, backend);
    }
    return backend;
  }

  function start(id: string, milliseconds: number): void {
    const backend = backendOf(id);
    if (closed || backend.timer !== undefined || backend.working !== undefined) return;
    backend.timer = setTimeout(() => {
      backend.timer = undefined;
      if (isBurst(backend)) start(id, lagMilliseconds);
      else void work(id, backend);
    }, milliseconds);
    backend.timer.unref();
  }

  function isBurst({ waiting, bytes, since, last }: Backend): boolean {
    const now = parts.uptime();
    if (writes !== seenWrites) lastWritten = now;
    seenWrites = writes;
    if (waiting.size >= burst.objects || bytes >= burst.bytes) return false;
    return now - Math.max(last, lastWritten) < burst.quietMilliseconds && now - since < burst.longestMilliseconds;
  }

  /** Until nothing waits, a burst begins, or the backend does not take it: then again later. Never rejects. */
  function work(id: string, backend: Backend): Promise<void> {
    backend.working ??= settleWaiting(backend).then(
      () => {
        backend.working = undefined;
        backend.failures = 0;
        backend.full = false;
        if (backend.waiting.size > 0) start(id, lagMilliseconds);
      },
      (error: unknown) => {
        backend.working = undefined;
        backend.full = isArtifactstoreError(error, 'storage_full');
        // Once for each time that it is unavailable.
        if (backend.failures === 0 && !closed) parts.onIncident(incident('held_unsettled', error, { backend_id: id }));
        start(id, Math.min(retryMilliseconds.first * 2 ** backend.failures, retryMilliseconds.longest));
        backend.failures += 1;
      },
    );
    return backend.working;
  }

  async function settleWaiting(backend: Backend): Promise<void> {
    const { waiting } = backend;
    while (waiting.size > 0 && !closed && (draining > 0 || !isBurst(backend))) {
      const names = firstOf(waiting.values());
      const settled = await settleHeld(parts, names);
      for (const sequence of settled) {
        backend.bytes -= waiting.get(sequence)?.size_bytes ?? 0;
        waiting.delete(sequence);
      }
    }
  }

  async function look(): Promise<void> {
    const counts = await parts.database.read('held.count', {});
    for (let after = 0; after < lastSeen; ) {
      const names = await parts.database.read('held.list', { backend_id: null, after, through: lastSeen, limit: listedAtOnce });
      wake(names);
      if (names.length < listedAtOnce) break;
      after = names.at(-1)!.sequence;
    }
    lastSeen = Math.max(lastSeen, ...counts.map(({ last_sequence }) => last_sequence));
  }

  function wake(held: readonly HeldName[]): void {
    const now = parts.uptime();
    seenWrites = writes;
    for (const name of held) {
      // What is held for a backend that was taken out of the configuration waits until it is back, as health says.
      if (!configured.has(name.backend_id)) continue;
      const backend = backendOf(name.backend_id);
      const { waiting } = backend;
      backend.last = now;
      if (waiting.size === 0) backend.since = now;
      // Those that are left out are found later.
      if (waiting.has(name.sequence) || waiting.size >= mostWaiting) continue;
      waiting.set(name.sequence, name);
      backend.bytes += name.size_bytes;
    }
    for (const [id, { waiting }] of backends) if (waiting.size > 0) start(id, lagMilliseconds);
  }

  function watch(): void {
    if (closed || watching !== undefined) return;
    // A database that does not answer is looked at again.
    const again = () => look().catch(() => undefined);
    void again();
    watching = setInterval(again, leftMilliseconds);
    watching.unref();
  }

  return {
    wake(held) {
      if (held.length === 0) return;
      wake(held);
      watch();
    },
    watch,
    noteWrite() {
      writes += 1;
    },
    isFull: (id) => backends.get(id)?.full === true,
    async drain(milliseconds) {
      draining += 1;
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, milliseconds);
      const all = [...backends].map(async ([id, backend]) => {
        clearTimeout(backend.timer);
        backend.timer = undefined;
        await work(id, backend);
      });
      await Promise.race([Promise.all(all), late.promise]);
      draining -= 1;
      clearTimeout(timer);
    },
    close() {
      closed = true;
      clearInterval(watching);
      for (const { timer } of backends.values()) clearTimeout(timer);
    },
  };
}

/**
 * Puts these, and then forgets them; the sequences of those that need nothing more. Throws what a backend or the
 * database failed with, after it has forgotten what was put.
 */
export async function settleHeld(
  parts: Pick<RegistryParts, 'database' | 'dataplane' | 'onIncident'>,
  names: readonly HeldName[],
): Promise<readonly number[]> {
  const { database, dataplane } = parts;
  const rows = await database.read('held.fetch', { sequences: names.map(({ sequence }) => sequence) });
  const there = new Set(rows.map(({ sequence }) => sequence));
  const done = names.filter(({ sequence }) => !there.has(sequence)).map(({ sequence }) => sequence);
  const put: HeldObject[] = [];
  const failed = await forEachLimited(rows, putsAtOnce, async (row) => {
    try {
      await dataplane.settle(row.backend_id, row.object_key, row.bytes);
      put.push(row);
    } catch (error) {
      if (!isArtifactstoreError(error, 'integrity_failure')) throw error;
      // Nothing better comes of trying again: whoever reads it is told, and a verification records it.
      parts.onIncident(incident('held_unsettled', error, { backend_id: row.backend_id, object_key: row.object_key }));
      done.push(row.sequence);
    }
  }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (put.length > 0) {
    const items = put.map(({ backend_id, object_key }): HeldKey => ({ backend_id, object_key }));
    await tryRemoveDead(parts, await database.write('held.settle', { actor, items }));
    done.push(...put.map(({ sequence }) => sequence));
  }
  if (failed !== undefined) throw failed.error;
  return done;
}

/**
 * Settles all that is held for the backends that are there; how many objects that were. Throws what the first of them
 * failed with, when the others are done.
 */
export async function settleAll(parts: Pick<RegistryParts, 'backendIds' | 'database' | 'dataplane' | 'onIncident'>): Promise<number> {
  let settled = 0;
  const failures: unknown[] = [];
  for (const backend_id of parts.backendIds)
    try {
      for (let after = 0; ; ) {
        const page = { backend_id, after, through: Number.MAX_SAFE_INTEGER, limit: objectsPerBatch };
        const names = firstOf(await parts.database.read('held.list', page));
        if (names.length === 0) break;
        settled += (await settleHeld(parts, names)).length;
        after = names.at(-1)!.sequence;
      }
    } catch (error) {
      failures.push(error);
    }
  if (failures.length > 0) throw failures[0];
  return settled;
}

/** As many as one batch takes, at least one. */
function firstOf(waiting: Iterable<HeldName>): readonly HeldName[] {
  const names: HeldName[] = [];
  let bytes = 0;
  for (const name of waiting) {
    if (names.length > 0 && (names.length >= objectsPerBatch || bytes + name.size_bytes > bytesPerBatch)) break;
    bytes += name.size_bytes;
    names.push(name);
  }
  return names;
}

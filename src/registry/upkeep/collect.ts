import { isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Context } from '../context.ts';
import { removeDead } from '../objects/remove-dead.ts';
import type { DuePackage } from '../operations/due-packages.ts';
import type { DeadKey } from '../operations/objects.ts';
import { expireUploads, planExpiry, reclaimSegments } from '../uploads/sweep.ts';
import { expireWriteSessions } from '../write-sessions/sweep.ts';
import { startRun } from './note-run.ts';
import type { Collection, CollectionPlan, CollectOptions, PlanOptions, StoredBytes, Sweep, SweepOptions } from './OPERATOR.ts';

const packagesPerStep = 500;
const locationsPerStep = 1000;
const keysPerStep = 1000;
const heldPerStep = 10_000;

/** Marks every expired, unheld, sealed package as eligible, or says which it would mark. Deletes nothing. */
export async function sweep(context: Context, options: SweepOptions): Promise<Sweep> {
  const { database } = context;
  const actor = options.actor ?? defaultActor;
  if (options.dryRun === true) {
    const ids = await database.read('retention.plan_sweep', { now: formatTimestamp(context.now()), limit: Number.MAX_SAFE_INTEGER });
    return { marked_package_ids: ids, marked_count: ids.length };
  }
  const noteEnd = startRun(context, 'sweep');
  let after: DuePackage | null = null;
  const marked = await inSteps(context, options.signal, async (limit) => {
    const step: readonly DuePackage[] = await database.write('retention.sweep', { actor, limit, after });
    after = step.at(-1) ?? after;
    return step.map(({ package_id }) => package_id);
  });
  await expireWriteSessions(context, actor, options.signal);
  await noteEnd();
  return { marked_package_ids: marked, marked_count: marked.length };
}

/** What `collect` would do now. */
export async function planCollection(context: Context, options: PlanOptions): Promise<CollectionPlan> {
  const { backendIds, database, dataplane } = context;
  const now = context.now();
  const plan = await database.read('collect.plan', {
    now: formatTimestamp(now),
    unchanged_since: formatTimestamp(now - context.unfinalizedSeconds * 1000),
  });
  const delete_orphans: { readonly backend_id: string; readonly object_keys: readonly string[] }[] = [];
  const expiring = await planExpiry(context);
  const closing = await database.read('session.plan_expiry', { now: formatTimestamp(now) });
  let reclaim_drafts = expiring.segments + closing.segments;
  for (const backend_id of backendIds) {
    const age = options.draftAgeSeconds ?? defaultDraftAgeSeconds;
    reclaim_drafts += await dataplane.reclaimDrafts(backend_id, age, { dryRun: true });
    reclaim_drafts += await reclaimSegments(context, backend_id, age, { dryRun: true });
    const object_keys: string[] = [];
    await reconcile(context, backend_id, options.signal, async (keys) => {
      object_keys.push(...keys);
      return new Set();
    });
    if (object_keys.length > 0) delete_orphans.push({ backend_id, object_keys });
  }
  return { ...plan, delete_orphans, expire_uploads: expiring.uploads, expire_write_sessions: closing.sessions, reclaim_drafts };
}

/**
 * Collects: packages that nobody sealed are abandoned, eligible ones collected, their locations released, and the
 * bytes that no live location needs deleted, with drafts and orphans that stopped processes left. Each step is one
 * transaction that looks for itself, so a run may stop anywhere, and two at once share the work. Only dead keys are
 * ever deleted. A backend that is unavailable is thrown as `storage_unavailable` when everything else is done.
 */
export async function collect(context: Context, options: CollectOptions): Promise<Collection> {
  const { database, dataplane } = context;
  const actor = options.actor ?? defaultActor;
  const noteEnd = startRun(context, 'collection');
  const counts = { released_locations: 0, deleted_objects: 0, reclaimed_drafts: 0, deleted_orphans: 0 };
  const report = () => options.onProgress?.({ ...counts });

  /** Backends that did not answer, each with the first that it failed with: this run asks nothing more of them. */
  const away = new Map<string, unknown>();
  async function unlessAway(backendId: string, work: () => Promise<void>): Promise<void> {
    if (away.has(backendId)) return;
    try {
      await work();
    } catch (error) {
      if (!isArtifactstoreError(error, 'storage_unavailable')) throw error;
      away.set(backendId, error);
    }
  }

  async function deleteKeys(dead: readonly DeadKey[]): Promise<void> {
    const keys = dead.filter(({ backend_id }) => context.backendIds.includes(backend_id));
    const gone = await removeDead(context, keys, (key, remove) => unlessAway(key.backend_id, remove));
    if (gone.length > 0) report();
  }

  const unchangedSince = formatTimestamp(context.now() - context.unfinalizedSeconds * 1000);
  const abandoned = await inSteps(context, options.signal, (limit) =>
    database.write('collect.abandon', { actor, limit, unchanged_since: unchangedSince }),
  );
  const collected = await inSteps(context, options.signal, (limit) => database.write('collect.packages', { actor, limit }));

  let deleting: Promise<void> = Promise.resolve();
  for (;;) {
    options.signal?.throwIfAborted();
    const released = await database.write('collect.release', { actor, limit: locationsPerStep });
    // One batch of bytes is deleted while the next is released, never more.
    await deleting;
    counts.released_locations += released.locations;
    counts.deleted_objects += released.dead.length;
    deleting = deleteKeys(released.dead);
    deleting.catch(() => undefined);
    if (released.locations === 0) break;
  }
  await deleting;

  const expired = await expireUploads(context, options.signal);
  counts.reclaimed_drafts += expired.segments + (await expireWriteSessions(context, actor, options.signal));
  const left_over = await deleteRemembered(context, deleteKeys, options.signal);
  const backends: StoredBytes[] = [];
  for (const backendId of context.backendIds)
    await unlessAway(backendId, async () => {
      const age = options.draftAgeSeconds ?? defaultDraftAgeSeconds;
      counts.reclaimed_drafts += await dataplane.reclaimDrafts(backendId, age);
      counts.reclaimed_drafts += await reclaimSegments(context, backendId, age);
      report();
      const stored = await reconcile(context, backendId, options.signal, async (keys) => {
        const dead = await database.write('collect.burn_orphans', { actor, backend_id: backendId, keys });
        await deleteKeys(dead);
        counts.deleted_orphans += dead.length;
        return new Set(dead.map((key) => key.object_key));
      });
      backends.push(stored);
    });
  for (const error of away.values()) throw error;
  await noteEnd();
  return { abandoned_package_ids: abandoned, collected_package_ids: collected, ...counts, backends, left_over };
}

/** Some packages after others, until a step finds fewer than it may: their ids. Each looks at the clock before it. */
async function inSteps(
  context: Context,
  signal: AbortSignal | undefined,
  step: (limit: number) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    signal?.throwIfAborted();
    await context.clock.requireRight();
    const ids = await step(packagesPerStep);
    all.push(...ids);
    if (ids.length < packagesPerStep) return all;
  }
}

/**
 * Keys that died in runs that did not get to their bytes. Answers how many lie in backends that are not configured, and
 * are left to a run that has them.
 */
async function deleteRemembered(
  context: Context,
  deleteKeys: (keys: readonly DeadKey[]) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<Collection['left_over']> {
  const left = new Map<string, number>();
  let after: DeadKey | null = null;
  for (;;) {
    signal?.throwIfAborted();
    const keys: readonly DeadKey[] = await context.database.read('collect.dead_keys', { limit: keysPerStep, after });
    await deleteKeys(keys);
    for (const { backend_id } of keys) if (!context.backendIds.includes(backend_id)) left.set(backend_id, (left.get(backend_id) ?? 0) + 1);
    if (keys.length < keysPerStep) return [...left].map(([backend_id, objects]) => ({ backend_id, objects }));
    after = keys.at(-1)!;
  }
}

/**
 * Walks a backend, hands what no event makes live to `clear`, and counts what stays, with what is held for it, beside
 * what the log says is there.
 */
export async function reconcile(
  context: Context,
  backendId: string,
  signal: AbortSignal | undefined,
  clear: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<StoredBytes> {
  const { database, dataplane } = context;
  const stored = { objects: 0, bytes: 0 };
  // Before the walk: what is put there meanwhile is counted once, whether the walk comes by or not.
  const held = await heldSizes(context, backendId);
  let batch = new Map<string, number>();
  const settle = async () => {
    const keys = [...batch.keys()];
    const orphans = await database.read('collect.find_orphans', { backend_id: backendId, keys });
    const cleared = orphans.length === 0 ? new Set<string>() : await clear(orphans);
    for (const [key, size] of batch) {
      held.delete(key);
      if (!cleared.has(key)) add(size);
    }
    batch = new Map();
  };
  const add = (size: number) => {
    stored.objects += 1;
    stored.bytes += size;
  };
  for await (const object of dataplane.list(backendId, signal)) {
    batch.set(object.key, object.sizeBytes);
    if (batch.size >= keysPerStep) await settle();
  }
  await settle();
  for (const size of held.values()) add(size);
  const live = await countLive(context, backendId);
  return {
    backend_id: backendId,
    stored_objects: stored.objects,
    stored_bytes: stored.bytes,
    live_objects: live.objects,
    live_bytes: live.bytes,
  };
}

/** How many objects of a backend, and bytes, the log says are there: failed ones too. */
export async function countLive(context: Context, backendId: string): Promise<{ readonly objects: number; readonly bytes: number }> {
  const counts = await context.database.read('collect.count_live', {});
  return counts.find(({ backend_id }) => backend_id === backendId) ?? { objects: 0, bytes: 0 };
}

/** The keys of what is held for a backend, with the lengths. */
export async function heldSizes({ database }: Pick<Context, 'database'>, backend_id: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const page = { backend_id, through: Number.MAX_SAFE_INTEGER, limit: heldPerStep };
  for (let after = 0; ; ) {
    const names = await database.read('held.list', { ...page, after });
    for (const { object_key, size_bytes } of names) sizes.set(object_key, size_bytes);
    if (names.length < heldPerStep) return sizes;
    after = names.at(-1)!.sequence;
  }
}

const defaultActor = 'operator';
const defaultDraftAgeSeconds = 3600;

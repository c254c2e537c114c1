import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { Context } from '../context.ts';
import { type Copy, createCopy } from '../objects/copy.ts';
import { recordDamage } from '../objects/damage.ts';
import { type BadVerdict, readWhole } from '../objects/read-whole.ts';
import { burnPublished, tryRemoveDead } from '../objects/remove-dead.ts';
import { inRounds } from '../objects/rounds.ts';
import { storedObject } from '../objects/stored-object.ts';
import type { CopyNeed, MovableObject, MoveResult } from '../operations/move.ts';
import type { MoveScope } from '../operations/move-scope.ts';
import type { Move, MoveOptions, MovePlan, MoveTarget } from './OPERATOR.ts';
import { createPace } from './pace.ts';
import { requireBackend, upTo } from './verify.ts';

const objectsPerStep = 200;
/**
 * A step is committed when it has copied this much, so that a stopped run repeats little and drafts take little room.
 */
const bytesPerStep = 268_435_456;
const locationsPerTransaction = 1000;
const defaultJobs = 4;

/** What `move` would do now. */
export async function planMove(context: Context, target: MoveTarget): Promise<MovePlan> {
  const scope = await scopeOf(context, target);
  return { from: scope.from, to: scope.to, ...(await context.database.read('move.count', { scope })) };
}

/**
 * Moves files from one backend to another: copies the bytes as an ingest does, reads them back there, and only then, in
 * one transaction, claims the new place and releases the old one; bytes that nobody needs any more are deleted after
 * it, as a collection does. What has moved is no longer in `from`, so a stopped run is gone on with by running it
 * again, and two at once share the work.
 */
export async function move(context: Context, options: MoveOptions): Promise<Move> {
  const { database } = context;
  const { jobs = defaultJobs, signal } = options;
  const actor = options.actor ?? 'operator';
  const scope = await scopeOf(context, options);
  const { from, to } = scope;
  for (const backendId of [from, to]) await context.dataplane.ownership(backendId)?.confirm();
  const counts = { objects: 0, bytes: 0, locations: 0, deleted_objects: 0, failed: 0, missing: 0, unreadable: 0 };
  const total = await database.read('move.count', { scope });
  const pace = createPace(options.bytesPerSecond);

  function fail(backend_id: string, object_key: string, job: Job, verdict: BadVerdict): void {
    counts[verdict.result] += 1;
    options.onFailure?.({ backend_id, object_key, content_address: job.object.content_address, reason: verdict.reason });
    report();
  }
  const report = () => options.onProgress?.({ ...counts }, total);

  /** Whether the object is ready to be moved, as far as it is known; one that is not was reported. */
  async function prepare(job: Job): Promise<boolean> {
    signal?.throwIfAborted();
    await pace(job.object.size_bytes, signal);
    const { source, need, copy } = job;
    const { kind, generation } = need;
    const there: StoredObject = { ...source, backendId: to, objectKey: objectKey(source.contentAddress, generation) };
    if (kind === 'check') {
      const verdict = await readWhole(context, there, signal);
      if (verdict.result === 'ok') job.verified = generation;
      else if (verdict.result === 'unreadable') {
        fail(to, there.objectKey, job, verdict);
        return false;
      }
      // The transaction then asks for good bytes under the next generation, which repair what is damaged.
      else await recordDamage(context, actor, there, generation, verdict.reason);
      return true;
    }
    const published = await copy.publish(generation, signal);
    if (published.result === 'ok') {
      job.verified = generation;
      return true;
    }
    const { verdict } = published;
    if (published.result === 'copy') fail(to, there.objectKey, job, verdict);
    else if (verdict.result === 'unreadable') fail(from, source.objectKey, job, verdict);
    // Without news it was known already, or moved or released while it was being read; only the former is damaged.
    else if ((await recordDamage(context, actor, source, job.object.generation, verdict.reason)) || job.object.failed)
      fail(from, source.objectKey, job, verdict);
    return false;
  }

  /** Moves what is ready; gives those back that need something else first. */
  async function move(ready: readonly Job[]): Promise<readonly Job[]> {
    const unready: Job[] = [];
    let waiting = ready;
    while (waiting.length > 0) {
      const items = waiting.map((job) => ({
        content_address: job.source.contentAddress,
        verified: job.verified,
        published: job.copy.generations,
      }));
      const moved = await database.write('move.locations', { actor, scope, items, limit: locationsPerTransaction });
      const more = waiting.filter((job, index) => take(job, moved.results[index]!, unready));
      // Only now, with the commit durable, may bytes go.
      await tryRemoveDead(context, moved.dead);
      report();
      waiting = more;
    }
    return unready;
  }

  function take(job: Job, result: MoveResult, unready: Job[]): boolean {
    if (result.outcome === 'prepare') {
      job.need = result.need;
      unready.push(job);
      return false;
    }
    counts.locations += result.locations;
    job.locations += result.locations;
    if (result.outcome === 'more') return true;
    job.settled = true;
    if (result.released) counts.deleted_objects += 1;
    if (job.locations > 0) {
      counts.objects += 1;
      counts.bytes += job.object.size_bytes;
    }
    return false;
  }

  async function step(objects: readonly MovableObject[]): Promise<void> {
    const all = objects.map((object) => jobOf(context, object, from, to));
    try {
      let waiting: readonly Job[] = all;
      // What others change too often meanwhile is left to the next run.
      await inRounds(async () => {
        const ready: Job[] = [];
        const stopped = await forEachLimited(waiting, jobs, async (job) => {
          if (await prepare(job)) ready.push(job);
        }).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        // What was copied before a stop is still moved.
        waiting = await move(ready);
        if (stopped !== undefined) throw stopped.error;
        return waiting.length === 0 ? true : undefined;
      });
    } finally {
      const left = all
        .filter((job) => !job.settled)
        .map(({ source, copy }) => ({ backend_id: to, content_address: source.contentAddress, generations: copy.generations }));
      context.background('copies_left', burnPublished(context, actor, left));
      for (const { copy } of all) context.background('draft_left', copy.discard());
    }
  }

  let after: string | null = null;
  for (;;) {
    signal?.throwIfAborted();
    const listed: readonly MovableObject[] = await database.read('move.list', { scope, after, limit: objectsPerStep });
    if (listed.length === 0) break;
    const some = upTo(listed, bytesPerStep);
    await step(some);
    after = some.at(-1)!.content_address;
  }
  const left = await database.read('move.count', { scope });
  return { from, to, ...counts, left_objects: left.objects, left_bytes: left.bytes };
}

/** One object on its way. */
interface Job {
  readonly object: MovableObject;
  readonly source: StoredObject;
  readonly copy: Copy;
  need: CopyNeed;
  /** The generation at the target that this run has read from end to end. */
  verified: number | null;
  locations: number;
  settled: boolean;
}

function jobOf(context: Context, object: MovableObject, from: string, to: string): Job {
  const source = storedObject({ ...object, backend_id: from });
  return { object, source, copy: createCopy(context, source, to), need: object.need, verified: null, locations: 0, settled: false };
}

async function scopeOf(context: Context, target: MoveTarget): Promise<MoveScope> {
  const { from, to, producer = null, retentionClass = null } = target;
  requireBackend(context, from);
  requireBackend(context, to);
  if (from === to) throw new ArtifactstoreError('invalid_value', `Both backends are "${from}"; name two.`, { field: 'to' });
  const packageId = target.packageId === undefined ? null : parseId(target.packageId, 'package_id');
  if (packageId !== null && (await context.database.read('package.get', { id: packageId })) === undefined)
    throw new ArtifactstoreError('package_not_found', `There is no package ${packageId}.`, { field: 'package_id' });
  return { from, to, producer, retention_class: retentionClass, package_id: packageId };
}

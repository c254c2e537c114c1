import { ArtifactstoreError } from '../../kernel/error.ts';
import { canonicalJson } from '../../kernel/format/json.ts';
import { keptObject } from '../../kernel/format/json-text.ts';
import { formatTimestamp, readTimestamp } from '../../kernel/time.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { Context } from '../context.ts';
import { recordDamage } from '../objects/damage.ts';
import { readWhole } from '../objects/read-whole.ts';
import { removeDead } from '../objects/remove-dead.ts';
import { storedObject } from '../objects/stored-object.ts';
import type { LocationPlace, VerifiableObject } from '../operations/verify.ts';
import { countLive, reconcile } from './collect.ts';
import { startRun } from './note-run.ts';
import type { OrphanReport, OrphansOptions, Verification, VerifyOptions } from './OPERATOR.ts';
import { createPace } from './pace.ts';

const objectsPerStep = 500;
/** A step is recorded when it has read this much, so that a stopped run repeats little. */
const bytesPerStep = 2_147_483_648;
/** Many files may claim one object, and writers wait for each step. */
const locationsPerStep = 5_000;
const defaultJobs = 2;
/** So many, and nothing else, are missing before a run stops and asks. */
const allMissingObjects = 100;
const countNames = ['objects', 'bytes', 'failed', 'missing', 'unreadable', 'cleared'] as const;

/**
 * Reads every object of a backend from end to end, both digests, and records what it found: good ones in batches,
 * damaged ones one by one. A run that was stopped resumes at its last record.
 */
export async function verifyStorage(context: Context, backendId: string, options: VerifyOptions): Promise<Verification> {
  requireBackend(context, backendId);
  const { database } = context;
  const actor = options.actor ?? 'operator';
  const notVerifiedSince = options.notVerifiedSince === undefined ? null : readTimestamp(options.notVerifiedSince, 'since');
  const earlier = options.restart === true ? undefined : await database.read('verify.progress', { backend_id: backendId });
  const started_at = earlier?.started_at ?? formatTimestamp(context.now());
  const noteEnd = startRun(context, 'verification', backendId, started_at);
  const run_id = earlier?.run_id ?? context.newId();
  const counts = { objects: 0, bytes: 0, failed: 0, missing: 0, unreadable: 0, cleared: 0 };
  const counted = earlier === undefined ? {} : keptObject(earlier.detail);
  for (const name of countNames) if (typeof counted[name] === 'number') counts[name] = counted[name];
  const live = await countLive(context, backendId);
  const pace = createPace(options.bytesPerSecond);
  let cursor = earlier?.cursor ?? null;

  type Good = { content_address: string; generation: number };
  /**
   * Missing objects that are not counted yet: as long as not one object was found, the store is more likely to be at
   * fault than all of them.
   */
  let unsettled: (() => Promise<void>)[] | undefined = options.acceptMissing === true || counts.objects > counts.missing ? undefined : [];
  async function settleAll(): Promise<void> {
    const settles = unsettled ?? [];
    unsettled = undefined;
    for (const settle of settles) await settle();
  }

  async function check(object: VerifiableObject, good: Good[]): Promise<void> {
    options.signal?.throwIfAborted();
    await pace(object.size_bytes, options.signal);
    const stored = storedObject({ backend_id: backendId, ...object });
    const verdict = await readWhole(context, stored, options.signal);
    const settle = async (): Promise<void> => {
      const { content_address, generation, object_key, failed } = object;
      counts.objects += 1;
      counts.bytes += object.size_bytes;
      if (verdict.result === 'ok') good.push({ content_address, generation });
      // Without news it was known already, or released while it was being read; only the former is damaged.
      else if (verdict.result === 'unreadable' || (await recordDamage(context, actor, stored, generation, verdict.reason)) || failed) {
        counts[verdict.result] += 1;
        options.onFailure?.({ content_address, object_key, result: verdict.result, reason: verdict.reason });
      }
      options.onProgress?.({ ...counts }, live);
    };
    if (verdict.result === 'missing' && unsettled !== undefined) {
      unsettled.push(settle);
      if (unsettled.length >= allMissingObjects) throw nothingFound(backendId);
      return;
    }
    if (!('held' in verdict)) await settleAll();
    await settle();
  }

  let good: Good[] = [];
  for (;;) {
    options.signal?.throwIfAborted();
    const listed = await database.read('verify.list', {
      backend_id: backendId,
      after: cursor,
      limit: objectsPerStep,
      not_verified_since: notVerifiedSince,
    });
    if (listed.length === 0) break;
    const step = upTo(listed, bytesPerStep);
    await forEachLimited(step, options.jobs ?? defaultJobs, (object) => check(object, good));
    cursor = step.at(-1)!.content_address;
    if ((unsettled ?? []).length > 0) continue;
    const record = {
      actor,
      backend_id: backendId,
      objects: good,
      progress: { run_id, cursor, started_at, detail: canonicalJson({ ...counts }) },
      limit: locationsPerStep,
    };
    for (let after: LocationPlace | null = null; ; ) {
      const { cleared, next }: { cleared: number; next: LocationPlace | null } = await database.write('verify.record', {
        ...record,
        after,
      });
      counts.cleared += cleared;
      if (next === null) break;
      after = next;
    }
    good = [];
  }
  await settleAll();
  // Where there was nothing to read, nobody has noticed yet whether the store is another registry's, or away.
  if (cursor === (earlier?.cursor ?? null)) await context.dataplane.ownership(backendId)?.confirm();
  await database.write('verify.end', { backend_id: backendId, run_id: run_id });
  // One that left something out did not read it all.
  if (notVerifiedSince === null && counts.unreadable === 0) await noteEnd();
  return { backend_id: backendId, resumed: earlier !== undefined, started_at, ...counts };
}

function nothingFound(backendId: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'storage_unavailable',
    `Not one of the first ${allMissingObjects} objects is in the backend ` +
      `"${backendId}", although it has this registry's marker. Nothing was recorded.`,
    {
      info: {
        backend_id: backendId,
        hint: 'look whether all of it was copied or mounted; with --accept-missing they are recorded as missing',
      },
    },
  );
}

/** Bytes in a backend that no event makes live; deleted when asked to, their generation burnt first. */
export async function findOrphans(context: Context, backendId: string, options: OrphansOptions): Promise<OrphanReport> {
  requireBackend(context, backendId);
  const actor = options.actor ?? 'operator';
  const keys: string[] = [];
  let deleted = 0;
  const stored = await reconcile(context, backendId, options.signal, async (orphans) => {
    keys.push(...orphans);
    if (options.delete !== true) return new Set();
    const dead = await context.database.write('collect.burn_orphans', { actor, backend_id: backendId, keys: orphans });
    const gone = await removeDead(context, dead);
    deleted += gone.length;
    return new Set(gone.map((key) => key.object_key));
  });
  return { ...stored, orphan_keys: keys, deleted_orphans: deleted };
}

/** Throws `invalid_value` when there is no such backend. */
export function requireBackend(context: Context, backendId: string): void {
  if (!context.backendIds.includes(backendId))
    throw new ArtifactstoreError(
      'invalid_value',
      `There is no storage backend "${backendId}"; there are ${context.backendIds.join(', ')}.`,
      {
        field: 'backend',
      },
    );
}

/** The first of them, up to so many bytes, and at least one. */
export function upTo<T extends { readonly size_bytes: number }>(objects: readonly T[], bytes: number): readonly T[] {
  let sum = 0;
  const end = objects.findIndex((object) => {
    sum += object.size_bytes;
    return sum >= bytes;
  });
  return end === -1 ? objects : objects.slice(0, end + 1);
}

import type { Kysely, Selectable, SelectQueryBuilder } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { decodeCbor } from '../../kernel/format/cbor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json.ts';
import { formatTimestamp, parseTimestamp } from '../../kernel/time.ts';
import { limits } from '../limits.ts';
import type { Hold, RetentionEvent, RetentionRecord } from '../REGISTRY.ts';
import { type DuePackage, expiredPackages } from './due-packages.ts';
import { requirePackage, type UncountedPackage } from './packages.ts';

export interface ExtendRetention {
  readonly actor: string;
  readonly package_id: string;
  readonly extension: Extension;
  readonly reason: string;
}

/** Until a time, null for never; or this much later than the present expiry, than now if that has passed. */
export type Extension = { readonly until: string | null } | { readonly by_seconds: number };

/** Moves the expiry later, never earlier; a package that was eligible for collection no longer is. */
export async function extendRetention(transaction: Transaction, input: ExtendRetention): Promise<RetentionRecord> {
  const found = await requireKept(transaction, input.package_id);
  const { extension } = input;
  if (found.expires_at === null)
    throw new ArtifactstoreError('invalid_value', `Package ${found.id} never expires, so there is nothing to extend.`, {
      field: 'until' in extension ? '/new_expires_at' : '/extend_by_seconds',
    });
  const newExpiresAt = 'until' in extension ? extension.until : laterBy(transaction.now, found.expires_at, extension.by_seconds);
  if (newExpiresAt !== null && newExpiresAt <= transaction.now)
    throw new ArtifactstoreError('invalid_value', `The new expiry ${newExpiresAt} lies in the past; it must be later than now.`, {
      field: '/new_expires_at',
    });
  if (newExpiresAt !== null && newExpiresAt <= found.expires_at)
    throw new ArtifactstoreError(
      'invalid_value',
      `The new expiry ${newExpiresAt} is not later than the current one, ${found.expires_at}; retention is only ever extended.`,
      { field: '/new_expires_at', info: { expires_at: found.expires_at } },
    );
  transaction.append({
    event_type: 'v1.retention.extended',
    subject_kind: 'package',
    subject_id: found.id,
    actor: input.actor,
    payload: {
      package_id: found.id,
      previous_expires_at: found.expires_at,
      new_expires_at: newExpiresAt,
      reason: input.reason,
    },
  });
  await clearEligibility(transaction, input.actor, found.id, 'extended');
  await transaction.flush();
  return await readRecord(transaction.sql, found.id);
}

function laterBy(now: string, expiresAt: string, seconds: number): string {
  const later = Math.max(parseTimestamp(expiresAt), parseTimestamp(now)) + seconds * 1000;
  if (later > Date.parse('9999-12-31T23:59:59.999Z'))
    throw new ArtifactstoreError('invalid_value', 'That is beyond the year 9999; let the package never expire instead.', {
      field: '/extend_by_seconds',
    });
  return formatTimestamp(later);
}

export interface ApplyHold {
  readonly actor: string;
  readonly package_id: string;
  readonly reason: string;
}

/** Adds a hold; a held package is never eligible and never collected. */
export async function applyHold(transaction: Transaction, input: ApplyHold): Promise<Hold> {
  const found = await requireKept(transaction, input.package_id);
  const hold_id = transaction.newId();
  transaction.append({
    event_type: 'v1.retention.hold_applied',
    subject_kind: 'package',
    subject_id: found.id,
    actor: input.actor,
    payload: { package_id: found.id, hold_id, reason: input.reason },
  });
  await clearEligibility(transaction, input.actor, found.id, 'held');
  return {
    id: hold_id,
    reason: input.reason,
    owner: input.actor,
    applied_at: transaction.now,
    released_at: null,
    released_by: null,
    release_reason: null,
  };
}

export interface ReleaseHold {
  readonly actor: string;
  readonly package_id: string;
  readonly hold_id: string;
  readonly reason: string | null;
}

export async function releaseHold(transaction: Transaction, input: ReleaseHold): Promise<Hold> {
  await requirePackage(transaction.sql, input.package_id);
  const row = await transaction.sql
    .selectFrom('retention_holds')
    .selectAll()
    .where('package_id', '=', input.package_id)
    .where('id', '=', input.hold_id)
    .executeTakeFirst();
  if (row === undefined)
    throw new ArtifactstoreError('hold_not_found', `Package ${input.package_id} has no hold ${input.hold_id}.`, { field: 'hold_id' });
  const { package_id: _package, ...hold } = row;
  if (hold.released_at !== null)
    throw new ArtifactstoreError('hold_not_found', `Hold ${input.hold_id} was released at ${hold.released_at} already.`, {
      field: 'hold_id',
      info: { released_at: hold.released_at },
    });
  transaction.append({
    event_type: 'v1.retention.hold_released',
    subject_kind: 'package',
    subject_id: input.package_id,
    actor: input.actor,
    payload: { package_id: input.package_id, hold_id: input.hold_id, reason: input.reason },
  });
  return { ...hold, released_at: transaction.now, released_by: input.actor, release_reason: input.reason };
}

export async function getRetention(snapshot: Snapshot, input: { readonly package_id: string }): Promise<RetentionRecord> {
  return await readRecord(snapshot.sql, input.package_id);
}

export interface SweepRetention {
  readonly actor: string;
  /** How many packages one step marks at most. */
  readonly limit: number;
  /** What the step before marked last; null for the first. What it left, held or unsealed, is not looked at again. */
  readonly after: DuePackage | null;
}

/**
 * Marks the next expired, unheld, sealed packages as eligible; deletes nothing. Fewer than `limit` means that is
 * all.
 */
export async function sweepRetention(transaction: Transaction, input: SweepRetention): Promise<readonly DuePackage[]> {
  const rows = await expiredPackages(transaction.sql, transaction.now, input.after).limit(input.limit).execute();
  const due = rows.map((row) => ({ package_id: row.package_id, expires_at: row.expires_at! }));
  for (const row of due)
    transaction.append({
      event_type: 'v1.retention.marked_eligible',
      subject_kind: 'package',
      subject_id: row.package_id,
      actor: input.actor,
      payload: { package_id: row.package_id, expires_at: row.expires_at },
    });
  return due;
}

/** What a sweep at `now` would mark; the operation that plans never writes. */
export async function planSweep(snapshot: Snapshot, input: { readonly now: string; readonly limit: number }): Promise<readonly string[]> {
  return (await expiredPackages(snapshot.sql, input.now, null).limit(input.limit).execute()).map((row) => row.package_id);
}

async function requireKept(transaction: Transaction, id: string): Promise<UncountedPackage> {
  const found = await requirePackage(transaction.sql, id);
  if (found.status === 'garbage_collected')
    throw new ArtifactstoreError('package_collected', `Package ${id} was collected: it had expired, and its bytes are gone.`);
  if (found.status === 'abandoned')
    throw new ArtifactstoreError('package_not_open', `Package ${id} is abandoned; its bytes are being deleted.`, {
      info: { status: found.status },
    });
  return found;
}

async function clearEligibility(transaction: Transaction, actor: string, packageId: string, cause: 'extended' | 'held'): Promise<void> {
  const state = await transaction.sql
    .selectFrom('retention_state')
    .select('eligible_at')
    .where('package_id', '=', packageId)
    .executeTakeFirst();
  if (state === undefined || state.eligible_at === null) return;
  transaction.append({
    event_type: 'v1.retention.eligibility_cleared',
    subject_kind: 'package',
    subject_id: packageId,
    actor,
    payload: { package_id: packageId, cause },
  });
}

async function readRecord(database: Kysely<Schema>, packageId: string): Promise<RetentionRecord> {
  const found = await requirePackage(database, packageId);
  const state = await database.selectFrom('retention_state').selectAll().where('package_id', '=', packageId).executeTakeFirst();
  const story = database.selectFrom('events').where('subject_kind', '=', 'package').where('subject_id', '=', packageId);
  const history = (
    await story
      // The manifest is not part of the story, and may be large.
      .where('event_type', '<>', 'v1.package.finalized')
      .selectAll()
      .orderBy('sequence', 'desc')
      .limit(shownEntries)
      .execute()
  ).reverse();
  const holds = await readHolds(database, packageId);
  const events: RetentionEvent[] = history.map((row) => ({
    sequence: row.sequence,
    created_at: row.created_at,
    event_type: row.event_type,
    actor: row.actor,
    detail: detailOf(decodeCbor(row.payload)),
  }));
  return {
    package_id: packageId,
    status: found.status,
    retention_class: found.retention_class,
    expires_at: state?.expires_at ?? null,
    eligible_at: state?.eligible_at ?? null,
    finalized_at: found.finalized_at,
    holds,
    history: events,
    holds_left_out: await leftOut(database.selectFrom('retention_holds').where('package_id', '=', packageId), holds.length),
    history_left_out: await leftOut(story, events.length + (found.finalized_at === null ? 0 : 1)),
  };
}

/** Holds, and events of the history, in one record: the others are in the log. */
const shownEntries = limits.retentionEntries;

/**
 * Those that hold before those that were released, and of these the newest; in the order in which they were applied.
 */
async function readHolds(database: Kysely<Schema>, packageId: string): Promise<Hold[]> {
  const newest = async (which: 'holding' | 'released', limit: number) => await newestHolds(database, packageId, which, limit).execute();
  const holding = await newest('holding', shownEntries);
  const rows = [...holding, ...(holding.length < shownEntries ? await newest('released', shownEntries - holding.length) : [])];
  const inOrder = (left: Hold, right: Hold): number => compare(left.applied_at, right.applied_at) || compare(left.id, right.id);
  return rows.map(({ package_id: _package, ...hold }) => hold).sort(inOrder);
}

/** Each from an index that has just those, newest first. */
export function newestHolds(
  database: Kysely<Schema>,
  packageId: string,
  which: 'holding' | 'released',
  limit: number,
): SelectQueryBuilder<Schema, 'retention_holds', Selectable<Schema['retention_holds']>> {
  return database
    .selectFrom('retention_holds')
    .selectAll()
    .where('package_id', '=', packageId)
    .where('released_at', which === 'holding' ? 'is' : 'is not', null)
    .orderBy('applied_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Counted only where a record is full, and by an index alone. */
async function leftOut<T extends keyof Schema>(all: SelectQueryBuilder<Schema, T, object>, shown: number): Promise<number> {
  if (shown < shownEntries) return 0;
  const { count } = await all.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  return Number(count) - shown;
}

/** Every payload is an object. */
function detailOf(payload: JsonValue): JsonObject {
  if (!isJsonObject(payload)) throw new ArtifactstoreError('internal', 'The payload of an event is no object.');
  return payload;
}

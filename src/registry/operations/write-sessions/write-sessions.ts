import type { Snapshot, Transaction } from '../../../database/DATABASE.ts';
import type { Quota } from '../../../kernel/access.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { secondsAfter } from '../../../kernel/time.ts';
import type { Created, ObjectProblem } from '../../REGISTRY.ts';
import { createPackage } from '../create-package.ts';
import { abandonUnsealed, getPackage } from '../packages.ts';
import { readUsed, requireBytes, requireOnePackage } from '../quota.ts';
import {
  hasExpired,
  noSession,
  noSessionObject,
  placesOf,
  readSession,
  readSessionObject,
  readSessionObjects,
  requireLive,
  type SessionObjectRow,
  type SessionPlace,
  type SessionRow,
  saveSession,
  sessionFromStored,
  sessionToStored,
} from './rows.ts';
import { endSession } from './upkeep.ts';
import { endObjectUploads } from './uploads.ts';

export interface OpenSession {
  readonly actor: string;
  readonly producer: string;
  readonly scope: string;
  readonly idempotency_key: string;
  readonly request_digest: string;
  readonly backend_id: string;
  readonly detail: Pick<SessionRow['detail'], 'subject' | 'namespace' | 'retention_class'>;
  readonly objects: readonly Pick<SessionObjectRow, 'name' | 'sha256' | 'size_bytes' | 'media_type' | 'state'>[];
  readonly lifetime_seconds: number;
  readonly quota: Quota | null;
  /** How many the actor may have open. */
  readonly maximum_open: number;
}

/** Objects of one statement. */
const rowsAtOnce = 500;
/** A commit that was begun may be continued for so long. */
const commitSeconds = 86_400;

/** A session, and how many objects were announced for it: so much is read or deleted while others wait. */
export interface SizedSession {
  readonly id: string;
  readonly object_count: number;
}

/** Opens a session, or finds the one that was opened by the same request. */
export async function openSession(transaction: Transaction, input: OpenSession): Promise<Created<SessionRow>> {
  const { now, sql } = transaction;
  const { actor, producer, scope, idempotency_key, request_digest } = input;
  const earlier = await lastWithKey(transaction, input);
  if (earlier !== undefined && (await isLive(transaction, earlier))) {
    if (earlier.request_digest === request_digest) return { record: earlier, created: false };
    throw new ArtifactstoreError(
      'idempotency_conflict',
      `The idempotency key "${idempotency_key}" was used for another write session of this producer and scope; use a new key or repeat ` +
        'the same request.',
      { field: 'idempotency_key', info: { write_session_id: earlier.id } },
    );
  }
  await requirePlace(transaction, input);
  const bytes = input.objects.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const used = await readUsed(sql, [producer], now);
  requireOnePackage(used, producer, input.quota);
  requireBytes(used, { producer, quota: input.quota, bytes });
  const expires_at = secondsAfter(now, input.lifetime_seconds);
  const row: SessionRow = {
    id: transaction.newId(),
    created_at: now,
    created_by: actor,
    updated_at: now,
    expires_at,
    ...{ producer, scope, idempotency_key, request_digest },
    backend_id: input.backend_id,
    state: 'open',
    reason: null,
    package_id: null,
    object_count: input.objects.length,
    total_bytes: bytes,
    detail: { ...input.detail, expires_at, manifest_digest: null },
  };
  await sql.insertInto('write_sessions').values(sessionToStored(row)).execute();
  for (const each of input.objects)
    transaction.insert('write_session_objects', { ...each, session_id: row.id, place_id: null, segments: null });
  return { record: row, created: true };
}

async function lastWithKey({ sql }: Snapshot, { producer, scope, idempotency_key }: OpenSession): Promise<SessionRow | undefined> {
  const stored = await sql
    .selectFrom('write_sessions')
    .selectAll()
    .where('producer', '=', producer)
    .where('scope', '=', scope)
    .where('idempotency_key', '=', idempotency_key)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return stored === undefined ? undefined : sessionFromStored(stored);
}

/** Whether its key is taken: it takes objects, or its package is there. */
async function isLive(transaction: Transaction, row: SessionRow): Promise<boolean> {
  if (row.state === 'committed') return (await getPackage(transaction, { id: row.package_id! }))?.status === 'finalized';
  return row.state === 'committing' || (row.state === 'open' && !hasExpired(row, transaction.now));
}

async function requirePlace({ sql, now }: Transaction, { actor, maximum_open }: OpenSession): Promise<void> {
  const { open } = await sql
    .selectFrom('write_sessions')
    .select(({ fn }) => fn.countAll<number>().as('open'))
    .where('created_by', '=', actor)
    .where('state', 'in', ['open', 'committing'])
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  if (open < maximum_open) return;
  throw new ArtifactstoreError(
    'too_many_write_sessions',
    `${actor} has ${open} open write sessions, which is as many as one may have; commit or abort some.`,
    { info: { bound: 'open_write_sessions', limit: maximum_open } },
  );
}

/**
 * The bytes of an object came, and are durable. Not `kept` where they were there before, and these are nobody's;
 * `places` are those of an upload of it that had not all of them.
 */
export async function receiveObject(
  transaction: Transaction,
  input: { readonly id: string; readonly name: string; readonly place_id: string; readonly segments: SessionObjectRow['segments'] },
): Promise<{ readonly kept: boolean; readonly places: readonly SessionPlace[] }> {
  const { sql, now } = transaction;
  const row = await readSession(sql, input.id);
  if (row === undefined) throw noSession(input.id);
  requireLive(row, now);
  const object = await readSessionObject(sql, input.id, input.name);
  if (object === undefined) throw noSessionObject(input.id, input.name);
  const places = await endObjectUploads(transaction, [object]);
  const { numUpdatedRows } = await sql
    .updateTable('write_session_objects')
    .set({ state: 'received', place_id: input.place_id, segments: JSON.stringify(input.segments) })
    .where('session_id', '=', input.id)
    .where('name', '=', input.name)
    .where('state', '=', 'put')
    .executeTakeFirst();
  return { kept: numUpdatedRows > 0n, places };
}

export interface BeginCommit extends SizedSession {
  readonly actor: string;
  readonly quota: Quota | null;
  /** From the retention class; null for never. */
  readonly duration_seconds: number | null;
}

/**
 * Begins a commit, or continues it: makes the package, where there is none yet that can be filled. Of an open session
 * that still wants bytes it says which.
 */
export async function beginCommit(
  transaction: Transaction,
  input: BeginCommit,
): Promise<{ readonly row: SessionRow; readonly missing: readonly string[] }> {
  const { sql, now } = transaction;
  const row = await readSession(sql, input.id);
  if (row === undefined) throw noSession(input.id);
  if (row.state === 'committed') return { row, missing: [] };
  requireLive(row, now, true);
  const missing = await sql
    .selectFrom('write_session_objects')
    .select('name')
    .where('session_id', '=', row.id)
    .where('state', '=', 'put')
    .orderBy('name')
    .execute();
  if (missing.length > 0) return { row, missing: missing.map(({ name }) => name) };
  const begun: SessionRow = {
    ...row,
    state: 'committing',
    reason: `${input.actor} commits it`,
    package_id: await packageOf(transaction, row, input),
    updated_at: now,
    expires_at: [row.detail.expires_at, secondsAfter(now, commitSeconds)].sort().at(-1)!,
  };
  await saveSession(sql, begun);
  return { row: begun, missing: [] };
}

async function packageOf(transaction: Transaction, row: SessionRow, { actor, quota, duration_seconds }: BeginCommit): Promise<string> {
  const found = row.package_id === null ? undefined : await getPackage(transaction, { id: row.package_id });
  if (found?.status === 'created' || found?.status === 'finalized') return found.id;
  const { subject, namespace, retention_class } = row.detail;
  const metadata = { scope: row.scope, write_session: row.id };
  const made = await createPackage(transaction, {
    actor,
    package: { name: namespace, producer: row.producer, subject, retention_class, metadata, metadata_schema_slug: null },
    quota,
    write_session: row.id,
    duration_seconds,
    idempotency: null,
  });
  return made.record.id;
}

/** The package is sealed: the session is that, whoever has ended it meanwhile. */
export async function finishCommit(
  transaction: Transaction,
  input: SizedSession & { readonly package_id: string; readonly manifest_digest: string },
): Promise<SessionRow> {
  const row = await readSession(transaction.sql, input.id);
  if (row === undefined) throw noSession(input.id);
  if (row.state !== 'committing' || row.package_id !== input.package_id) return row;
  return (await endSession(transaction, row, { state: 'committed', reason: 'its package is sealed', actor: row.created_by })).row;
}

/**
 * Takes a commit back that found objects missing or wrong: the package is abandoned, and their bytes are wanted again.
 * What became of the session, and bytes that are nobody's now.
 */
export async function reopenSession(
  transaction: Transaction,
  input: SizedSession & { readonly actor: string; readonly package_id: string; readonly problems: readonly ObjectProblem[] },
): Promise<{ readonly row: SessionRow; readonly places: readonly SessionPlace[] }> {
  const { sql, now } = transaction;
  const row = await readSession(sql, input.id);
  if (row === undefined) throw noSession(input.id);
  if (row.state !== 'committing' || row.package_id !== input.package_id) return { row, places: [] };
  const found = await getPackage(transaction, { id: input.package_id });
  if (found?.status === 'finalized') return { row, places: [] };
  await abandonUnsealed(transaction, input.actor, found);
  const wrong = new Set(input.problems.map(({ name }) => name));
  const places = placesOf(
    row,
    (await readSessionObjects(sql, row.id)).filter(({ name }) => wrong.has(name)),
  );
  const names = [...wrong];
  for (let start = 0; start < names.length; start += rowsAtOnce)
    await sql
      .updateTable('write_session_objects')
      .set({ state: 'put', place_id: null, segments: null })
      .where('session_id', '=', row.id)
      .where('name', 'in', names.slice(start, start + rowsAtOnce))
      .execute();
  const reason =
    wrong.size === 0 ? 'its package was changed by others, or met a quota' : `a commit found ${wrong.size} of its objects missing or wrong`;
  const { expires_at, rounds = 0 } = row.detail;
  const detail = wrong.size === 0 ? row.detail : { ...row.detail, rounds: rounds + 1 };
  const reopened: SessionRow = { ...row, state: 'open', reason, package_id: null, updated_at: now, expires_at, detail };
  await saveSession(sql, reopened);
  return { row: reopened, places };
}

/** The session with its objects; without them where `objects` is false, and it is not known how many these are. */
export async function getSession(
  snapshot: Snapshot,
  input: (SizedSession & { readonly objects: true }) | { readonly id: string; readonly objects: false },
): Promise<{ readonly row: SessionRow; readonly objects: readonly SessionObjectRow[] } | undefined> {
  const row = await readSession(snapshot.sql, input.id);
  if (row === undefined) return undefined;
  return { row, objects: input.objects ? await readSessionObjects(snapshot.sql, input.id) : [] };
}

/** Of files that are there, each with its length. */
export async function fileSizes(
  { sql }: Snapshot,
  input: { readonly file_ids: readonly string[] },
): Promise<readonly (readonly [id: string, size_bytes: number])[]> {
  if (input.file_ids.length === 0) return [];
  const rows = await sql.selectFrom('artifact_files').select(['id', 'size_bytes']).where('id', 'in', input.file_ids).execute();
  return rows.map(({ id, size_bytes }) => [id, size_bytes] as const);
}

export async function findSessionObject(
  snapshot: Snapshot,
  input: { readonly id: string; readonly name: string },
): Promise<{ readonly row: SessionRow; readonly object: SessionObjectRow | undefined } | undefined> {
  const row = await readSession(snapshot.sql, input.id);
  if (row === undefined) return undefined;
  return { row, object: await readSessionObject(snapshot.sql, input.id, input.name) };
}

import type { Snapshot, Transaction } from '../../../database/DATABASE.ts';
import { secondsAfter } from '../../../kernel/time.ts';
import { abandonUnsealed, getPackage } from '../packages.ts';
import {
  hasExpired,
  noSession,
  objectFromStored,
  placesOf,
  readSession,
  readSessionObjects,
  requireLive,
  type SessionPlace,
  type SessionRow,
  saveSession,
  sessionFromStored,
} from './rows.ts';
import { endObjectUploads } from './uploads.ts';

export interface SessionEnd {
  readonly state: 'committed' | 'aborted' | 'expired';
  readonly reason: string;
  /** Who abandons the package that was not sealed. */
  readonly actor: string;
}

export interface EndedSession {
  readonly row: SessionRow;
  /** Bytes that are nobody's now. */
  readonly places: readonly SessionPlace[];
}

/**
 * Ends a session in one step with what was made of it: a package that is sealed makes it a committed one, whatever was
 * asked for; one that is not is abandoned.
 */
export async function endSession(transaction: Transaction, row: SessionRow, end: SessionEnd): Promise<EndedSession> {
  const { sql, now } = transaction;
  const found = row.package_id === null ? undefined : await getPackage(transaction, { id: row.package_id });
  const objects = await readSessionObjects(sql, row.id);
  const places = [...placesOf(row, objects), ...(await endObjectUploads(transaction, objects))];
  if (end.state !== 'committed') await abandonUnsealed(transaction, end.actor, found);
  const sealed = found?.manifest_digest ?? null;
  const ended: SessionRow = {
    ...row,
    state: sealed === null ? end.state : 'committed',
    reason: sealed === null ? end.reason : 'its package is sealed',
    updated_at: now,
    detail: { ...row.detail, manifest_digest: sealed },
  };
  await saveSession(sql, ended);
  await sql.deleteFrom('write_session_objects').where('session_id', '=', row.id).execute();
  return { row: ended, places };
}

/** Twice is once. Errors: `write_session_closed`, `write_session_expired`. */
export async function abortSession(
  transaction: Transaction,
  input: { readonly actor: string; readonly id: string; readonly object_count: number },
): Promise<EndedSession> {
  const row = await readSession(transaction.sql, input.id);
  if (row === undefined) throw noSession(input.id);
  if (row.state === 'aborted') return { row, places: [] };
  requireLive(row, transaction.now, true);
  const ended = await endSession(transaction, row, { state: 'aborted', reason: `${input.actor} aborted it`, actor: input.actor });
  return ended;
}

/**
 * Ends sessions whose time has passed, with at most `limit` objects together, and one at least; none when there are no
 * more. Forgets those that ended without a package long ago.
 */
export async function expireSessions(
  transaction: Transaction,
  input: { readonly actor: string; readonly limit: number; readonly remembered_seconds: number },
): Promise<readonly EndedSession[]> {
  const { sql, now } = transaction;
  const before = secondsAfter(now, -input.remembered_seconds);
  await sql.deleteFrom('write_sessions').where('state', 'in', ['aborted', 'expired']).where('updated_at', '<=', before).execute();
  const due = await sql
    .selectFrom('write_sessions')
    .selectAll()
    .where('state', 'in', ['open', 'committing'])
    .where('expires_at', '<=', now)
    .orderBy('id')
    .limit(input.limit)
    .execute();
  const ended: EndedSession[] = [];
  let objects = 0;
  for (const stored of due) {
    const row = sessionFromStored(stored);
    objects += row.object_count;
    if (ended.length > 0 && objects > input.limit) break;
    const reason = hasExpired(row, now) ? `it was not committed by ${row.expires_at}` : `its commit was not continued by ${row.expires_at}`;
    ended.push(await endSession(transaction, row, { state: 'expired', reason, actor: input.actor }));
  }
  return ended;
}

/** How many sessions `expireSessions` would end, with how many segments. */
export async function planSessionExpiry(
  { sql }: Snapshot,
  input: { readonly now: string },
): Promise<{ readonly sessions: number; readonly segments: number }> {
  const due = sql.selectFrom('write_sessions').where('state', 'in', ['open', 'committing']).where('expires_at', '<=', input.now);
  const { sessions } = await due.select(({ fn }) => fn.countAll<number>().as('sessions')).executeTakeFirstOrThrow();
  const rows = await sql
    .selectFrom('write_session_objects')
    .selectAll()
    .where('session_id', 'in', due.select('id'))
    .where('segments', 'is not', null)
    .execute();
  const segments = rows.reduce((sum, row) => sum + objectFromStored(row).segments.length, 0);
  return { sessions: Number(sessions), segments };
}

/**
 * Of these places those whose bytes may be needed. Those of an upload are the upload's until they are all there. The
 * place of a session is needed while it may be committed, since its senders write there without a word.
 */
export async function placesAmong(snapshot: Snapshot, input: { readonly ids: readonly string[] }): Promise<readonly string[]> {
  if (input.ids.length === 0) return [];
  const rows = await snapshot.sql
    .selectFrom('write_session_objects')
    .select('place_id')
    .where('place_id', 'in', input.ids)
    .where('segments', 'is not', null)
    .execute();
  const live = await snapshot.sql
    .selectFrom('write_sessions')
    .select('id')
    .where('id', 'in', input.ids)
    .where('state', 'in', ['open', 'committing'])
    .execute();
  return [...rows.flatMap(({ place_id }) => (place_id === null ? [] : [place_id])), ...live.map(({ id }) => id)];
}

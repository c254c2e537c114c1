import type { Kysely } from '#kysely';
import type { OperationalTables, Schema } from '../../../database/schema.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import type { Timestamp } from '../../../kernel/time.ts';
import type { SessionObjectState, WriteSessionState } from '../../REGISTRY.ts';

type StoredSession = OperationalTables['write_sessions'];
type StoredObject = OperationalTables['write_session_objects'];

/** A row of `write_sessions`, as this code sees it. */
export interface SessionRow extends Omit<StoredSession, 'state' | 'detail'> {
  readonly state: WriteSessionState;
  readonly detail: {
    readonly subject: string;
    readonly namespace: string;
    readonly retention_class: string;
    /** When it expires where it is not being committed. */
    readonly expires_at: string;
    readonly manifest_digest: string | null;
    /** How often a commit found bytes missing or wrong: what is sent to the store itself has another key each time. */
    readonly rounds?: number;
  };
}

/** A row of `write_session_objects`. */
export interface SessionObjectRow extends Omit<StoredObject, 'session_id' | 'state' | 'segments'> {
  readonly state: SessionObjectState;
  readonly segments: readonly SessionSegment[];
}

/** `shared`: a writer that was stopped may still write behind its end. */
export interface SessionSegment {
  readonly name: string;
  readonly bytes: number;
  readonly shared?: true;
}

/** Where bytes lie that nobody has read yet. */
export interface SessionPlace {
  readonly place_id: string;
  readonly backend_id: string;
  readonly segments: SessionObjectRow['segments'];
}

export function sessionToStored(row: SessionRow): StoredSession {
  return { ...row, detail: JSON.stringify(row.detail) };
}

export function sessionFromStored(stored: StoredSession): SessionRow {
  return { ...stored, state: stored.state as WriteSessionState, detail: JSON.parse(stored.detail) };
}

export function objectFromStored({ session_id: _, ...stored }: StoredObject): SessionObjectRow {
  return { ...stored, state: stored.state as SessionObjectState, segments: stored.segments === null ? [] : JSON.parse(stored.segments) };
}

export async function readSession(database: Kysely<Schema>, id: string): Promise<SessionRow | undefined> {
  const stored = await database.selectFrom('write_sessions').selectAll().where('id', '=', id).executeTakeFirst();
  return stored === undefined ? undefined : sessionFromStored(stored);
}

export async function readSessionObjects(database: Kysely<Schema>, id: string): Promise<readonly SessionObjectRow[]> {
  const rows = await database.selectFrom('write_session_objects').selectAll().where('session_id', '=', id).orderBy('name').execute();
  return rows.map(objectFromStored);
}

export async function readSessionObject(database: Kysely<Schema>, id: string, name: string): Promise<SessionObjectRow | undefined> {
  const query = database.selectFrom('write_session_objects').selectAll().where('session_id', '=', id).where('name', '=', name);
  const stored = await query.executeTakeFirst();
  return stored === undefined ? undefined : objectFromStored(stored);
}

export async function saveSession(database: Kysely<Schema>, row: SessionRow): Promise<void> {
  const { id, ...columns } = sessionToStored(row);
  await database.updateTable('write_sessions').set(columns).where('id', '=', id).execute();
}

/** Those that have bytes which are not a file's. */
export function placesOf({ backend_id }: Pick<SessionRow, 'backend_id'>, objects: readonly SessionObjectRow[]): readonly SessionPlace[] {
  return objects.flatMap(({ place_id, segments }) => (place_id === null ? [] : [{ place_id, backend_id, segments }]));
}

/** Once its commit has begun, a session does not expire by the clock alone: a sweep ends it. */
export function hasExpired({ state, expires_at }: Pick<SessionRow, 'state' | 'expires_at'>, now: Timestamp): boolean {
  return state === 'open' && expires_at <= now;
}

export function noSession(id: string): ArtifactstoreError {
  return new ArtifactstoreError('write_session_not_found', `There is no write session ${id}; open it again.`, { field: 'id' });
}

export function noSessionObject(id: string, name: string): ArtifactstoreError {
  return new ArtifactstoreError('write_session_object_not_found', `The write session ${id} has no object "${name}".`, { field: name });
}

/** Throws unless it takes what it is asked for: while it is open, or also while it is being committed. */
export function requireLive(row: SessionRow, now: Timestamp, alsoCommitting = false): void {
  const { id, state, reason } = row;
  if (state === 'expired' || hasExpired(row, now))
    throw new ArtifactstoreError('write_session_expired', `The write session ${id} has expired, at ${row.expires_at}; open it again.`, {
      info: { state: 'expired' },
    });
  if (state === 'aborted')
    throw new ArtifactstoreError('write_session_aborted', `The write session ${id} was aborted (${reason}); open it again.`, {
      info: { state },
    });
  const info = { state, package_id: row.package_id };
  if (state === 'committed')
    throw new ArtifactstoreError('write_session_closed', `The write session ${id} is committed: what it made stays as it is.`, { info });
  if (state === 'committing' && !alsoCommitting)
    throw new ArtifactstoreError(
      'write_session_committing',
      `The write session ${id} is being committed, and takes nothing more; commit it again to see what came of it.`,
      { info },
    );
}

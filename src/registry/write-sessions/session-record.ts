import type { Context } from '../context.ts';
import type { SessionObjectRow, SessionRow } from '../operations/write-sessions/rows.ts';
import type { CommittedSession, ListedWriteSession, SessionObject, WriteSession } from '../REGISTRY.ts';
import { handlesOf } from './quarantine.ts';

/** Of a committed one the objects are the files of its package. */
export async function sessionRecord(
  context: Pick<Context, 'backendIds' | 'database' | 'dataplane'>,
  row: SessionRow,
  objects: readonly SessionObjectRow[],
): Promise<WriteSession> {
  const handles = await handlesOf(context, row, objects);
  const found = row.state === 'committed' ? await filesOf(context, row.package_id!) : objects.map(told);
  return { ...listedSession(row), objects: found };

  function told(object: SessionObjectRow): SessionObject {
    const handle = handles.get(object.name);
    return { ...objectRecord(object), ...(handle === undefined ? {} : { handle }) };
  }
}

export function listedSession(row: SessionRow): ListedWriteSession {
  const { detail } = row;
  return {
    id: row.id,
    state: row.state,
    reason: row.reason,
    scope: row.scope,
    producer: row.producer,
    subject: detail.subject,
    namespace: detail.namespace,
    retention_class: detail.retention_class,
    created_at: row.created_at,
    created_by: row.created_by,
    expires_at: row.expires_at,
    package_id: row.package_id,
    manifest_digest: detail.manifest_digest,
    object_count: row.object_count,
    total_bytes: row.total_bytes,
  };
}

export function objectRecord({ name, sha256, size_bytes, media_type, state, place_id }: SessionObjectRow): SessionObject {
  return { name, sha256, size_bytes, media_type, state, ...(state === 'put' && place_id !== null ? { upload_id: place_id } : {}) };
}

/** What a record of so many objects takes of memory, while it is made and sent, is small. */
const fewObjects = 1_000;

/** Of a committed one. */
export async function committedRecord(context: Pick<Context, 'database' | 'takeLarge'>, row: SessionRow): Promise<CommittedSession> {
  const read = () => filesOf(context, row.package_id!);
  const objects = row.object_count > fewObjects ? await context.takeLarge(read) : await read();
  return {
    package_id: row.package_id!,
    manifest_digest: row.detail.manifest_digest!,
    objects: Object.fromEntries(objects.map(({ name, sha256, size_bytes }) => [name, { sha256, size_bytes }])),
  };
}

async function filesOf({ database }: Pick<Context, 'database'>, package_id: string): Promise<readonly SessionObject[]> {
  const objects: SessionObject[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof read>> = await read(after);
    for (const { relative_path, digest_sha256, size_bytes, media_type } of page?.items ?? [])
      objects.push({ name: relative_path, sha256: digest_sha256, size_bytes, media_type, state: 'received' });
    after = page?.more === true ? objects.at(-1)!.name : null;
  } while (after !== null);
  return objects;

  function read(last: string | null) {
    return database.read('file.list', { package_id, limit: 1_000, after: last });
  }
}

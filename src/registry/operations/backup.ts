import type { Snapshot } from '../../database/DATABASE.ts';
import type { ObjectRow } from './objects.ts';

/** What names the registry. */
export async function readRegistry(
  snapshot: Snapshot,
  _input: Record<string, never>,
): Promise<{ readonly id: string; readonly format_version: number; readonly created_at: string }> {
  return await snapshot.sql.selectFrom('registry').select(['id', 'format_version', 'created_at']).executeTakeFirstOrThrow();
}

/** The objects with one of these addresses that the log calls live, in every backend, good ones first. */
export async function listLive(snapshot: Snapshot, input: { readonly addresses: readonly string[] }): Promise<readonly ObjectRow[]> {
  if (input.addresses.length === 0) return [];
  const rows = await snapshot.sql
    .selectFrom('storage_objects')
    .selectAll()
    .where('content_address', 'in', input.addresses)
    .where('live_generation', 'is not', null)
    .orderBy('backend_id')
    .execute();
  return rows.toSorted((left, right) => Number(left.state === 'failed') - Number(right.state === 'failed'));
}

export interface IdempotencyKeyRow {
  readonly producer: string;
  readonly idempotency_key: string;
  readonly request_digest: string;
  readonly package_id: string;
  readonly created_at: string;
}

/** In the order of their primary key, after one of them. */
export async function listIdempotencyKeys(
  snapshot: Snapshot,
  input: { readonly after: { readonly producer: string; readonly idempotency_key: string } | null; readonly limit: number },
): Promise<readonly IdempotencyKeyRow[]> {
  let query = snapshot.sql.selectFrom('idempotency_keys').selectAll();
  if (input.after !== null) {
    const { producer, idempotency_key } = input.after;
    query = query.where(({ eb, or, and }) =>
      or([eb('producer', '>', producer), and([eb('producer', '=', producer), eb('idempotency_key', '>', idempotency_key)])]),
    );
  }
  return await query.orderBy('producer').orderBy('idempotency_key').limit(input.limit).execute();
}

import type { Snapshot, Transaction } from '../../database/DATABASE.ts';

/** What the log knows of a backend. */
export interface BackendLook {
  readonly registry_id: string;
  /** Whether an object ever lay there. */
  readonly known: boolean;
  /** Whether a marker was seen there. */
  readonly recorded: boolean;
  /** 0 unless they are counted. */
  readonly live_objects: number;
}

export async function lookAtBackend(
  { sql }: Snapshot,
  input: { readonly backend_id: string; readonly counted: boolean },
): Promise<BackendLook> {
  const { backend_id: backendId } = input;
  const { id } = await sql.selectFrom('registry').select('id').executeTakeFirstOrThrow();
  const object = await sql
    .selectFrom('storage_objects')
    .select('backend_id')
    .where('backend_id', '=', backendId)
    .limit(1)
    .executeTakeFirst();
  const marker = await sql.selectFrom('storage_markers').select('backend_id').where('backend_id', '=', backendId).executeTakeFirst();
  const known = object !== undefined;
  return {
    registry_id: id,
    known,
    recorded: marker !== undefined,
    live_objects: known && input.counted ? await liveObjects(sql, backendId) : 0,
  };
}

async function liveObjects(sql: Snapshot['sql'], backendId: string): Promise<number> {
  const { count } = await sql
    .selectFrom('storage_objects')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('backend_id', '=', backendId)
    .where('live_generation', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Remembers that the registry's marker is in a backend. */
export async function recordMarker(transaction: Transaction, input: { readonly backend_id: string }): Promise<void> {
  await transaction.sql
    .insertInto('storage_markers')
    .values({ backend_id: input.backend_id, recorded_at: transaction.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

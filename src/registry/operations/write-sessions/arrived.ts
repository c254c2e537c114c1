import type { Transaction } from '../../../database/DATABASE.ts';
import { hasExpired, readSession, type SessionObjectRow, type SessionPlace, type SessionSegment } from './rows.ts';
import { endObjectUploads } from './uploads.ts';

// Objects whose bytes their sender wrote to the store itself, by an address. They lie in a place that has the id of
// the session, and nobody has read them before the commit.

/**
 * Notes that the bytes of these objects lie in the session's place, where they were still to be sent. A session that
 * takes nothing more, or that gave other addresses meanwhile, takes none. `places` are those of uploads that end.
 */
export async function receiveArrived(
  transaction: Transaction,
  input: {
    readonly id: string;
    readonly rounds: number;
    readonly objects: readonly { readonly name: string; readonly segment: SessionSegment }[];
  },
): Promise<readonly SessionPlace[]> {
  const { sql, now } = transaction;
  const row = await readSession(sql, input.id);
  if (row?.state !== 'open' || hasExpired(row, now) || (row.detail.rounds ?? 0) !== input.rounds) return [];
  const names = input.objects.map(({ name }) => name);
  const sending = await sql
    .selectFrom('write_session_objects')
    .select(['state', 'place_id'])
    .where('session_id', '=', row.id)
    .where('name', 'in', names)
    .where('state', '=', 'put')
    .execute();
  const places = await endObjectUploads(transaction, sending as readonly Pick<SessionObjectRow, 'state' | 'place_id'>[]);
  for (const { name, segment } of input.objects)
    await sql
      .updateTable('write_session_objects')
      .set({ state: 'received', place_id: row.id, segments: JSON.stringify([segment]) })
      .where('session_id', '=', row.id)
      .where('name', '=', name)
      .where('state', '=', 'put')
      .execute();
  return places;
}

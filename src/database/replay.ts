import { sql } from '#kysely';
import { sameBytes } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { brokenLink, chainStart, type LogHead, type StoredEvent } from '../kernel/log/event.ts';
import { fold } from '../kernel/views/fold.ts';
import { viewTables } from './columns.ts';
import { createRowChanges } from './row-changes.ts';
import type { LogSession } from './transaction.ts';

export interface Replayed {
  readonly events: number;
  readonly sequence: number;
}

const chunkEvents = 2_000;
const chunkBytes = 16 * 1024 * 1024;

/**
 * Empties the views and folds the log into them, inside the caller's transaction, which holds the log. Every link of
 * the chain is checked, and that it ends at the log's head; what is broken is refused with `integrity_failure`. Where
 * the head itself was lost (`end` is undefined), the last event is made the head again.
 */
export async function replayLog(
  session: LogSession,
  end: LogHead | undefined,
  onProgress?: (done: number, total: number) => void,
): Promise<Replayed> {
  const total = end?.sequence ?? (await lastSequence(session));
  for (const table of viewTables) await session.sql.deleteFrom(table).execute();
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  for (;;) {
    const events = await readChunk(session, head.sequence);
    if (events.length === 0) break;
    const changes = createRowChanges();
    for (const event of events) {
      const broken = brokenLink(head, event);
      if (broken !== undefined) throw brokenLog(event.sequence, broken);
      for (const change of fold(event)) changes.add(change);
      head = event;
    }
    await session.write([], changes);
    onProgress?.(head.sequence, total);
  }
  if (end === undefined) {
    const { sequence, chain_digest } = head;
    await session.sql.insertInto('log_head').values({ id: 1, sequence, chain_digest }).execute();
    return { events: sequence, sequence };
  }
  if (head.sequence !== end.sequence) throw brokenLog(head.sequence, `the log ends at ${head.sequence}, its head says ${end.sequence}`);
  if (!sameBytes(head.chain_digest, end.chain_digest)) throw brokenLog(head.sequence, 'its last chain digest is not that of the head');
  return { events: head.sequence, sequence: head.sequence };
}

async function lastSequence(session: LogSession): Promise<number> {
  const { last } = await session.sql.selectFrom('events').select(sql<number | null>`max(sequence)`.as('last')).executeTakeFirstOrThrow();
  return last ?? 0;
}

/** As many of the next events as fit, at least one: payloads can be large. */
async function readChunk(session: LogSession, after: number): Promise<readonly StoredEvent[]> {
  const sizes = await session.sql
    .selectFrom('events')
    .select(['sequence', sql<number>`octet_length(payload)`.as('bytes')])
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(chunkEvents)
    .execute();
  let count = 0;
  for (let bytes = 0; count < sizes.length && (count === 0 || bytes + sizes[count]!.bytes <= chunkBytes); count++)
    bytes += sizes[count]!.bytes;
  const last = sizes[count - 1];
  if (last === undefined) return [];
  return session.readEvents(after, last.sequence);
}

function brokenLog(sequence: number, what: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The event log is broken: ${what}. Nothing was changed.`, { info: { sequence } });
}

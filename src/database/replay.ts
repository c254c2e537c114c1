import { sql } from '#kysely';
import { sameBytes } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { brokenLink, chainStart, type LogHead, type StoredEvent } from '../kernel/log/event.ts';
import { fold } from '../kernel/views/fold.ts';
import { createRowChanges, type RowChanges } from './row-changes.ts';
import type { LogSession } from './transaction.ts';

export interface Replayed {
  readonly events: number;
  readonly sequence: number;
}

/** What some thousand events change in the views, and where the log stands after them. */
export interface FoldedChunk<C = RowChanges> {
  readonly changes: C;
  readonly head: LogHead;
}

const chunkEvents = 2_000;
const chunkBytes = 16 * 1024 * 1024;

/**
 * Reads the whole log in chunks, checks every link of its chain and folds it. The chunk that follows is asked for
 * before one is given. Throws `integrity_failure` at the first event that does not continue the chain.
 */
export async function* foldLog(readEvents: LogSession['readEvents']): AsyncGenerator<FoldedChunk> {
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  const read = (): Promise<readonly StoredEvent[]> => {
    const events = readEvents(head.sequence, { events: chunkEvents, bytes: chunkBytes });
    events.catch(ignore);
    return events;
  };
  let reading = read();
  try {
    for (;;) {
      const events = await reading;
      if (events.length === 0) return;
      const changes = createRowChanges();
      for (const event of events) {
        const broken = brokenLink(head, event);
        if (broken !== undefined) throw brokenLog(event.sequence, broken);
        for (const change of fold(event)) changes.add(change);
        head = event;
      }
      reading = read();
      yield { changes, head };
    }
  } finally {
    await reading.catch(ignore);
  }
}

/**
 * Writes the chunks of the whole log with `write`, one while the next is made, inside the caller's transaction, which
 * holds the log and has empty views. Refuses a log that does not end at its head with `integrity_failure`. Where the
 * head itself was lost (`end` is undefined), the last event is made the head again.
 */
export async function replayLog<C>(
  { sql: queries }: Pick<LogSession, 'sql'>,
  end: LogHead | undefined,
  chunks: AsyncIterable<FoldedChunk<C>>,
  write: (changes: C) => Promise<void>,
  onProgress?: (done: number, total: number) => void,
): Promise<Replayed> {
  const total = end?.sequence ?? (await lastSequence(queries));
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  let writing = Promise.resolve();
  try {
    for await (const chunk of chunks) {
      await writing;
      const done = chunk.head.sequence;
      writing = write(chunk.changes).then(() => onProgress?.(done, total));
      writing.catch(ignore);
      head = chunk.head;
    }
    await writing;
  } finally {
    await writing.catch(ignore);
  }
  const { sequence, chain_digest } = head;
  if (end === undefined) await queries.insertInto('log_head').values({ id: 1, sequence, chain_digest }).execute();
  else if (sequence !== end.sequence) throw brokenLog(sequence, `the log ends at ${sequence}, its head says ${end.sequence}`);
  else if (!sameBytes(chain_digest, end.chain_digest)) throw brokenLog(sequence, 'its last chain digest is not that of the head');
  return { events: sequence, sequence };
}

/** For promises that are awaited later. */
function ignore(): void {}

async function lastSequence(queries: LogSession['sql']): Promise<number> {
  const { last } = await queries.selectFrom('events').select(sql<number | null>`max(sequence)`.as('last')).executeTakeFirstOrThrow();
  return last ?? 0;
}

function brokenLog(sequence: number, what: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The event log is broken: ${what}. Nothing was changed.`, { info: { sequence } });
}

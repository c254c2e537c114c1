import assert from 'node:assert/strict';
import { type ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import { brokenLink, chainStart, type LogHead } from '../../kernel/log/event.ts';
import type { Database } from '../DATABASE.ts';
import type { ConformanceOperations } from './operations.ts';

export type ConformanceDatabase = Database<ConformanceOperations>;

export interface OpenedDatabase {
  readonly database: ConformanceDatabase;
  /** The same store opened once more, as another process would; closed by `close`. */
  another(): Promise<ConformanceDatabase>;
  close(): Promise<void>;
}

export type Check = (title: string, body: (database: ConformanceDatabase, store: OpenedDatabase) => Promise<void>) => void;

/** Reads the whole log and checks every link; where it ends. */
export async function assertIntactLog(database: ConformanceDatabase): Promise<LogHead> {
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  for (;;) {
    const events = await database.read('readEvents', { after: head.sequence, limit: 1_000 });
    if (events.length === 0) return head;
    for (const event of events) {
      assert.equal(brokenLink(head, event), undefined);
      head = event;
    }
  }
}

/** Replays, and checks that not one byte of the views is another. */
export async function assertReplayable(database: ConformanceDatabase): Promise<void> {
  const before = await database.read('dumpViews', null);
  const { sequence } = await assertIntactLog(database);
  assert.deepEqual(await database.replay(), { events: sequence, sequence });
  assert.deepEqual(await database.read('dumpViews', null), before);
}

/** The error, which has this code. */
export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<ArtifactstoreError> {
  const error = await promise.then(
    () => assert.fail(`expected ${code}`),
    (error: unknown) => error,
  );
  if (!isArtifactstoreError(error)) throw error;
  assert.equal(error.code, code, error.stack);
  return error;
}

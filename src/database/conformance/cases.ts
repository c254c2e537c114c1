import assert from 'node:assert/strict';
import { type ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import { brokenLink, chainStart, type LogHead } from '../../kernel/log/event.ts';
import type { ViewTables } from '../../kernel/views/view.ts';
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

/** Checks the sums of the views, replays, and checks that not one byte of the views is another. */
export async function assertReplayable(database: ConformanceDatabase): Promise<void> {
  const before = await database.read('dumpViews', null);
  assert.deepEqual(before.producer_usage, sumPackages(before.artifact_packages as readonly PackageRow[]));
  const { sequence } = await assertIntactLog(database);
  assert.deepEqual(await database.replay(), { events: sequence, sequence });
  assert.deepEqual(await database.read('dumpViews', null), before);
}

type PackageRow = ViewTables['artifact_packages'];

/** What `producer_usage` must be. */
export function sumPackages(packages: readonly PackageRow[]): readonly ViewTables['producer_usage'][] {
  const sums = new Map<string, ViewTables['producer_usage']>();
  for (const { producer, status, file_count, total_bytes } of packages) {
    const { packages: count, files, bytes } = sums.get(producer) ?? { packages: 0, files: 0, bytes: 0 };
    const kept = status === 'created' || status === 'finalized';
    const [more, added] = kept ? [file_count, total_bytes] : [0, 0];
    sums.set(producer, { producer, packages: count + Number(kept), files: files + more, bytes: bytes + added });
  }
  return [...sums.values()].sort((left, right) => (left.producer < right.producer ? -1 : 1));
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

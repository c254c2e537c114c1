import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import { brokenLink, chainStart, type LogHead } from '../kernel/log/event.ts';
import { type ConformanceOperations, conformanceOperationsUrl } from './conformance-operations.ts';
import type { Database, OperationsModule } from './DATABASE.ts';

export type ConformanceDatabase = Database<ConformanceOperations>;

export interface OpenedDatabase {
  readonly database: ConformanceDatabase;
  /** The same store opened once more, as another process would; closed by `close`. */
  another(): Promise<ConformanceDatabase>;
  close(): Promise<void>;
}

/**
 * What every dialect must do, for `node --test`. `open` gives a store that is empty and not yet migrated, with these
 * operations; it is called once for each case. An outside author calls this from a test file of their own.
 */
export function databaseConformance(name: string, open: (operations: OperationsModule) => Promise<OpenedDatabase>): void {
  const opened = async (body: (database: ConformanceDatabase, store: OpenedDatabase) => Promise<void>): Promise<void> => {
    const store = await open({ url: conformanceOperationsUrl });
    try {
      await body(store.database, store);
    } finally {
      await store.close();
    }
  };
  const check: Check = (title, body) => {
    test(title, () =>
      opened(async (database, store) => {
        await database.migrate();
        await body(database, store);
      }),
    );
  };

  describe(`database: ${name}`, () => {
    schemaCases((title, body) => {
      test(title, () => opened(body));
    });
    writingCases(check);
    failureCases(check);
    concurrencyCases(check);
    readingCases(check);
    replayCases(check);
    waitingCases(check);
  });
}

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

type Check = (title: string, body: (database: ConformanceDatabase, store: OpenedDatabase) => Promise<void>) => void;

function schemaCases(check: Check): void {
  check('refuses everything before it is migrated, and says so in its health', async (database) => {
    await rejects(database.write('addPackages', { count: 1 }), 'database_not_migrated');
    await rejects(database.read('countLeases', null), 'database_not_migrated');
    await rejects(database.replay(), 'database_not_migrated');
    const { healthy, migrated } = await database.health();
    assert.deepEqual({ healthy, migrated }, { healthy: false, migrated: false });
  });

  check('migrates once, whoever asks and how often', async (database, store) => {
    const second = await store.another();
    const applied = (await Promise.all([database.migrate(), second.migrate(), database.migrate()])).flat();
    assert.ok(applied.length > 0);
    assert.equal(new Set(applied).size, applied.length, 'no migration is applied twice');
    assert.deepEqual(await database.migrate(), []);
    const { healthy, migrated } = await database.health();
    assert.deepEqual({ healthy, migrated }, { healthy: true, migrated: true });
    assert.equal((await second.read('readRegistry', null)).length, 1);
    await second.write('addPackages', { count: 1 });
    await database.migrate();
    await database.write('addPackages', { count: 1 });
    assert.equal((await assertIntactLog(database)).sequence, 2);
  });

  check('closes twice, and answers nothing after it', async (database) => {
    await database.migrate();
    const writing = database.write('addPackages', { count: 1 });
    await database.close();
    assert.deepEqual(await writing, [1], 'what was asked before is done');
    await database.close();
    await rejects(database.write('addPackages', { count: 1 }), 'database_unavailable');
    await rejects(database.read('countLeases', null), 'database_unavailable');
    assert.equal((await database.health()).healthy, false);
  });
}

function writingCases(check: Check): void {
  check('gives sequences without a gap and shows what was written to the next reader', async (database) => {
    assert.deepEqual(await database.write('addPackages', { count: 3 }), [1, 2, 3]);
    assert.deepEqual(await database.write('addPackages', { count: 1 }), [4]);
    assert.deepEqual(
      (await database.read('readEvents', { after: 1, limit: 2 })).map((event) => event.sequence),
      [2, 3],
    );
    const { artifact_packages } = await database.read('dumpViews', null);
    assert.equal(artifact_packages?.length, 4);
  });

  check('shows an operation its own events after a flush, not before', async (database) => {
    assert.deepEqual(await database.write('appendAndLook', null), { before: 0, after: 1 });
  });

  check('takes and gives bytes, nested values and nothing at all', async (database) => {
    for (const size of [0, 1, 300_000]) {
      const bytes = new Uint8Array(randomBytes(size));
      const { bytes: echoed, deep } = await database.write('keepBytes', { name: `bytes ${size}`, bytes });
      assert.deepEqual(new Uint8Array(echoed), bytes);
      assert.deepEqual(deep, { list: [1, null] });
      const kept = await database.read('readBytes', { name: `bytes ${size}` });
      assert.equal(Object.getPrototypeOf(kept), Uint8Array.prototype, 'plain bytes');
      assert.deepEqual(kept, bytes);
    }
    assert.equal(await database.read('readBytes', { name: 'none' }), undefined);
  });

  check('writes large payloads and many events at once', async (database) => {
    assert.deepEqual(await database.write('addPackages', { count: 1, nameLength: 3_000_000 }), [1]);
    assert.equal((await database.write('addPackages', { count: 5_000 })).at(-1), 5_001);
    await database.write('addPackages', { count: 10, nameLength: 100_000 });
    await assertReplayable(database);
  });

  check('never changes an event', async (database) => {
    await database.write('addPackages', { count: 1 });
    await rejects(database.write('changeEvents', { how: 'update' }), 'internal');
    await rejects(database.write('changeEvents', { how: 'delete' }), 'internal');
    assert.equal((await assertIntactLog(database)).sequence, 1);
  });
}

function failureCases(check: Check): void {
  const details = { field: '/items/0', info: { wanted: 1, nested: { deep: ['x'] } } };

  check('undoes all that a failing operation did, and passes its error on whole', async (database) => {
    await database.write('addPackages', { count: 1 });
    for (const flush of [false, true]) {
      const error = await rejects(database.write('failAfter', { code: 'path_conflict', flush, ...details }), 'path_conflict');
      assert.equal(error.message, 'It failed as it was asked to.');
      assert.equal(error.field, details.field);
      assert.deepEqual(error.info, details.info);
    }
    assert.equal(await database.read('countLeases', null), 0);
    assert.deepEqual(await database.write('addPackages', { count: 1 }), [2]);
    await assertReplayable(database);
  });

  check('says nothing of unknown errors but to the log', async (database) => {
    for (const code of ['unknown_error', 'bad_sql'] as const) {
      const error = await rejects(database.write('failAfter', { code, flush: true, ...details }), 'internal');
      assert.doesNotMatch(error.message, /callers|constraint|log_head/i);
      assert.ok(error.cause instanceof Error);
    }
    assert.match(
      String((await rejects(database.write('failAfter', { code: 'unknown_error', flush: false, ...details }), 'internal')).cause),
      /must not see/,
    );
    await rejects(database.write('noSuchOperation' as 'claim', { name: 'x' }), 'internal');
    await rejects(database.read('noSuchOperation' as 'countLeases', null), 'internal');
    assert.deepEqual(await database.write('addPackages', { count: 1 }), [1]);
  });

  check('does not let failing operations hurt their neighbours', async (database) => {
    const codes = ['path_conflict', 'unknown_error', 'bad_sql'] as const;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 300 }, (_, index) =>
        index % 7 === 3
          ? database.write('failAfter', { code: codes[index % 3]!, flush: index % 2 === 0, ...details })
          : database.write('addPackages', { count: 1 + (index % 3) }),
      ),
    );
    const sequences = outcomes.flatMap((outcome, index) => {
      assert.equal(outcome.status, index % 7 === 3 ? 'rejected' : 'fulfilled');
      return outcome.status === 'fulfilled' ? outcome.value : [];
    });
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      Array.from(sequences, (_, index) => index + 1),
    );
    assert.equal(await database.read('countLeases', null), 0);
    await assertReplayable(database);
  });

  check('passes on the errors of reading operations', async (database) => {
    const error = await rejects(database.read('failReading', { how: 'known' }), 'package_not_found');
    assert.deepEqual({ field: error.field, info: error.info }, { field: 'id', info: { id: 'x' } });
    assert.doesNotMatch((await rejects(database.read('failReading', { how: 'bad_sql' }), 'internal')).message, /table/);
    assert.equal(await database.read('countLeases', null), 0);
  });
}

function concurrencyCases(check: Check): void {
  check('keeps the log gapless and chained under 64 writers of two openings, and a follower misses nothing', async (database, store) => {
    const second = await store.another();
    const writers = 64;
    const each = 10;
    const total = writers * each * 2;
    const follower = async (reader: ConformanceDatabase): Promise<number> => {
      let last = 0;
      while (last < total) {
        await reader.waitForEvents(last, 10_000);
        const events = await reader.read('readEvents', { after: last, limit: 100 });
        assert.ok(events.length > 0, 'whoever is told of an event can read it');
        for (const event of events) {
          assert.equal(event.sequence, last + 1);
          last = event.sequence;
        }
      }
      return last;
    };
    const following = Promise.all([follower(database), follower(second)]);
    const sequences = await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        const own: number[] = [];
        for (let index = 0; index < each; index++) {
          own.push(...(await (writer % 2 === 0 ? database : second).write('addPackages', { count: 2 })));
          if (index % 4 === 0)
            await database.write('failAfter', { code: 'path_conflict', flush: true, field: '', info: {} }).catch(() => {});
        }
        assert.deepEqual(
          own,
          own.toSorted((a, b) => a - b),
          'a writer sees its own order',
        );
        return own;
      }),
    );
    assert.deepEqual(
      sequences.flat().toSorted((a, b) => a - b),
      Array.from({ length: total }, (_, index) => index + 1),
    );
    assert.deepEqual(await following, [total, total]);
    await assertReplayable(second);
  });

  check('lets one operation decide, and the next see it', async (database, store) => {
    const second = await store.another();
    const names = Array.from({ length: 200 }, (_, index) => `name ${index % 10}`);
    const claims = await Promise.all(names.map((name, index) => (index % 3 === 0 ? second : database).write('claim', { name })));
    assert.equal(claims.filter(Boolean).length, 10);
    assert.equal((await assertIntactLog(database)).sequence, 10);
  });
}

function readingCases(check: Check): void {
  check('reads one snapshot beside the writers', async (database) => {
    await database.write('addPackages', { count: 1 });
    const reading = database.read('countTwice', { milliseconds: 200 });
    for (let index = 0; index < 20; index++) await database.write('addPackages', { count: 1 });
    const [before, after] = await reading;
    assert.equal(before, after);
    assert.deepEqual(await database.read('countTwice', { milliseconds: 0 }), [21, 21], 'a write that was answered is read');
  });

  check('tells by its version whether anybody has committed, where it has one', async (database, { another }) => {
    if (database.version === undefined) return;
    const beside = await another();
    let last = database.version();
    assert.equal(typeof last, 'number');
    for (const writer of [database, beside, database]) {
      await database.read('countTwice', { milliseconds: 0 });
      assert.equal(database.version(), last, 'a read is no commit');
      await writer.write('addPackages', { count: 1 });
      assert.notEqual(database.version(), last);
      last = database.version();
    }
    await database.replay();
    assert.notEqual(database.version(), last);
  });

  check('orders text by its bytes', async (database) => {
    const names = ['a', 'B', 'ä', 'a b', 'a-b', 'Z', 'é', '\u{1F600}', '\uFFFD', '_', '0', 'aa', 'İ'];
    for (const name of names) await database.write('claim', { name });
    const bytewise = names.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    assert.deepEqual(await database.read('sortText', null), bytewise);
  });
}

function replayCases(check: Check): void {
  check('rebuilds the views byte for byte after every type of event', async (database) => {
    for (const flushEach of [true, false]) {
      await database.write('liveALife', { label: `one ${flushEach}`, flushEach });
      await assertReplayable(database);
    }
    await database.write('addUnknownEvent', null);
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => database.write('liveALife', { label: `many ${index}`, flushEach: index % 2 === 0 })),
    );
    await database.write('claim', { name: 'an operational row' });
    await assertReplayable(database);
    assert.equal(await database.read('countLeases', null), 1, 'operational rows stay');
    const dump = await database.read('dumpViews', null);
    for (const [table, rows] of Object.entries(dump)) assert.ok(rows.length > 0, `${table} has rows`);
  });

  check('replays an empty log, tells of its progress, and continues from the same head', async (database) => {
    assert.deepEqual(await database.replay(), { events: 0, sequence: 0 });
    await database.write('addPackages', { count: 6_000 });
    const steps: (readonly [number, number])[] = [];
    await database.replay((done, total) => steps.push([done, total]));
    assert.deepEqual(steps.at(-1), [6_000, 6_000]);
    assert.ok(steps.length > 1);
    assert.deepEqual(await database.write('addPackages', { count: 1 }), [6_001]);
    await assertIntactLog(database);
  });

  check('replays beside writers', async (database, store) => {
    const second = await store.another();
    await database.write('addPackages', { count: 500 });
    const writing = Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? database : second).write('addPackages', { count: 1 })),
    );
    await Promise.all([database.replay(), second.replay(), writing]);
    assert.equal((await database.read('dumpViews', null)).artifact_packages?.length, 540);
    await assertReplayable(database);
  });
}

function waitingCases(check: Check): void {
  check('waits for events of its own and of others, no longer than asked, and stops when told', async (database, store) => {
    const second = await store.another();
    assert.equal(await database.waitForEvents(0, 0), 0);
    assert.equal(await database.waitForEvents(0, 20), 0);

    const own = database.waitForEvents(0, 30_000);
    await database.write('addPackages', { count: 2 });
    assert.equal(await own, 2);
    assert.equal(await database.waitForEvents(1, 30_000), 2, 'what is there already is not waited for');

    const others = Promise.all([second.waitForEvents(2, 30_000), second.waitForEvents(2, 30_000)]);
    await database.write('addPackages', { count: 1 });
    assert.deepEqual(await others, [3, 3]);
    assert.equal(await second.waitForEvents(3, 50), 3);

    const controller = new AbortController();
    const aborted = second.waitForEvents(3, 30_000, controller.signal);
    setTimeout(() => controller.abort(), 20);
    assert.equal(await aborted, 3);
    assert.equal(await second.waitForEvents(3, 30_000, AbortSignal.abort()), 3);

    const ended = second.waitForEvents(3, 30_000).catch((error: unknown) => error);
    await second.close();
    const end = await ended;
    assert.ok(end === 3 || isArtifactstoreError(end, 'database_unavailable'), 'closing ends the waiting');
  });
}

async function rejects(promise: Promise<unknown>, code: ErrorCode) {
  const error = await promise.then(
    () => assert.fail(`expected ${code}`),
    (error: unknown) => error,
  );
  if (!isArtifactstoreError(error)) throw error;
  assert.equal(error.code, code, error.stack);
  return error;
}

import assert from 'node:assert/strict';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { assertIntactLog, assertReplayable, type Check } from './cases.ts';

export function readingCases(check: Check): void {
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

export function replayCases(check: Check): void {
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

export function waitingCases(check: Check): void {
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

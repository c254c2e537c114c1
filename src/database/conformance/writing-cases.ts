import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertIntactLog, assertReplayable, type Check, type ConformanceDatabase, rejects } from './cases.ts';

export function schemaCases(check: Check): void {
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
    assert.equal((await database.health()).migrated, true);
    await untilHealthy(database);
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

/** A health that is not known within its bound is none, and on a busy machine that can be so. */
async function untilHealthy(database: ConformanceDatabase): Promise<void> {
  for (let left = 20; ; left--) {
    const { healthy, detail } = await database.health();
    if (healthy) return;
    assert.ok(left > 0, detail);
  }
}

export function writingCases(check: Check): void {
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
    assert.deepEqual(await database.write('addPackages', { count: 1, metadataLength: 3_000_000 }), [1]);
    assert.equal((await database.write('addPackages', { count: 5_000 })).at(-1), 5_001);
    await database.write('addPackages', { count: 10, metadataLength: 100_000 });
    await assertReplayable(database);
  });

  check('never changes an event', async (database) => {
    await database.write('addPackages', { count: 1 });
    await rejects(database.write('changeEvents', { how: 'update' }), 'internal');
    await rejects(database.write('changeEvents', { how: 'delete' }), 'internal');
    assert.equal((await assertIntactLog(database)).sequence, 1);
  });
}

export function failureCases(check: Check): void {
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

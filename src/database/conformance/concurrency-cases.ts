import assert from 'node:assert/strict';
import { assertIntactLog, assertReplayable, type Check, type ConformanceDatabase } from './cases.ts';

export function concurrencyCases(check: Check): void {
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

  check('lets one set decide, and the next one of another opening see it', async (database, store) => {
    const second = await store.another();
    for (let round = 0; round < 5; round++) {
      const keys = Array.from({ length: 60 }, (_, index) => `key ${round} ${index % 10}`);
      const claims = await Promise.allSettled(
        keys.map((key, index) => (index % 2 === 0 ? second : database).write('claimKey', { key, kind: 'good' })),
      );
      assert.equal(claims.filter(({ status }) => status === 'fulfilled').length, 10);
    }
    assert.equal((await assertIntactLog(database)).sequence, 50);
  });
}

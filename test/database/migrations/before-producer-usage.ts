import assert from 'node:assert/strict';
import { assertReplayable, type ConformanceDatabase } from '../../../src/database/conformance.ts';

/**
 * What an earlier version has filled is summed by the migration; and what a server of that version, which is still
 * running, writes after it is added.
 */
export async function sumsWhatWasThere(
  earlier: ConformanceDatabase,
  undo: (statements: readonly string[]) => Promise<void>,
  open: () => Promise<ConformanceDatabase>,
  dropTrigger: (name: string) => string,
): Promise<void> {
  const triggers = ['producer_usage_inserted', 'producer_usage_updated'];
  // Its connection is open from here on.
  await earlier.write('addPackages', { count: 1 });
  await undo([
    ...triggers.map(dropTrigger),
    'drop table producer_usage',
    "delete from schema_migrations where name = '0005-producer-usage'",
  ]);
  for (const label of ['before', 'again']) await earlier.write('liveALife', { label, flushEach: true });
  const running = Array.from({ length: 40 }, () => earlier.write('addPackages', { count: 1 }));
  const later = await open();
  try {
    assert.deepEqual(await later.migrate(), ['0005-producer-usage']);
    await Promise.all(running);
    await earlier.write('liveALife', { label: 'after', flushEach: false });
    await later.write('liveALife', { label: 'with it', flushEach: true });
    await assertReplayable(later);
    for (const name of triggers) {
      await undo([dropTrigger(name)]);
      assert.match((await later.health()).detail, new RegExp(`lost ${name}; run .artifactstore replay`));
      await earlier.write('addPackages', { count: 1 });
      await later.replay();
      assert.equal((await later.health()).healthy, true);
      await earlier.write('liveALife', { label: `without ${name}`, flushEach: false });
      await assertReplayable(later);
    }
  } finally {
    await later.close();
  }
}

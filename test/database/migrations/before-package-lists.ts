import assert from 'node:assert/strict';
import { assertReplayable, type ConformanceDatabase } from '../../../src/database/conformance.ts';

const columns = ['subject', 'retention_class', 'status'];
const earlierIndexes = columns.map((column) => `artifact_packages_${column}`);
const indexes = columns.map((column) => `artifact_packages_with_${column}`);

export interface FilledBefore {
  readonly earlier: ConformanceDatabase;
  execute(statements: readonly string[]): Promise<void>;
  /** Of the table of packages. */
  indexes(): Promise<readonly string[]>;
  open(): Promise<ConformanceDatabase>;
}

/**
 * What an earlier version has filled, and still writes, is there after the migration, which puts indexes in the place
 * of others. A replay makes them again, and none of the others.
 */
export async function replacesIndexesOfWhatWasThere({ earlier, execute, indexes: read, open }: FilledBefore): Promise<void> {
  const made = async (): Promise<readonly string[]> =>
    (await read()).filter((name) => indexes.includes(name) || earlierIndexes.includes(name)).toSorted();
  // Its connections are open from here on.
  await earlier.write('addPackages', { count: 1 });
  await earlier.read('dumpViews', null);
  await execute([
    ...indexes.map((name) => `drop index ${name}`),
    ...columns.map((column) => `create index artifact_packages_${column} on artifact_packages (${column}, created_sequence)`),
    "delete from schema_migrations where name = '0007-package-lists'",
  ]);
  assert.deepEqual(await made(), earlierIndexes.toSorted());
  for (const label of ['before', 'again']) await earlier.write('liveALife', { label, flushEach: true });
  await earlier.write('addPackages', { count: 200 });
  const before = await earlier.read('dumpViews', null);
  const later = await open();
  try {
    assert.deepEqual(await later.migrate(), ['0007-package-lists']);
    assert.deepEqual(await later.read('dumpViews', null), before);
    assert.deepEqual(await made(), indexes.toSorted());
    await execute([`drop index ${indexes[0]}`]);
    const running = Array.from({ length: 40 }, () => earlier.write('addPackages', { count: 1 }));
    await later.replay();
    await Promise.all(running);
    assert.deepEqual(await made(), indexes.toSorted());
    await earlier.write('liveALife', { label: 'after', flushEach: false });
    await later.write('liveALife', { label: 'with it', flushEach: true });
    await assertReplayable(later);
  } finally {
    await later.close();
  }
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

const open = (path: string, longFromBytes: number) =>
  openSqlite<FaultOperations>({ path, operations: { url: faultOperationsUrl, long: ['countSlowly'] }, migrate: true, longFromBytes });
const steps = 3_000_000;

test('nobody waits for a read that looks at everything', async () => {
  const database = await open(join(directory, 'large.db'), 0);
  const order: string[] = [];
  const said = (name: string) => () => void order.push(name);
  const slow = database.read('countSlowly', { steps });
  await Promise.all([
    slow.then(said('slow')),
    database.read('countEvents', null).then(said('quick')),
    database.health().then(({ healthy }) => order.push(`healthy: ${healthy}`)),
  ]);
  assert.equal(await slow, steps);
  assert.equal(order.at(-1), 'slow', order.join(', '));
  assert.ok(order.includes('healthy: true'));
  // Its thread is made again for the next one, also for two at once and while the last one ends.
  const [one, other] = await Promise.all([database.read('countSlowly', { steps: 2 }), database.read('countSlowly', { steps: 3 })]);
  assert.deepEqual([one, other, await database.read('countSlowly', { steps: 4 })], [2, 3, 4]);
  await assert.rejects(database.read('countSlowly', null as never));
  await database.close();
});

test('a database that is closed meanwhile answers it first, and none after it', async () => {
  const database = await open(join(directory, 'closed.db'), 0);
  const slow = database.read('countSlowly', { steps: 100_000 });
  await database.close();
  assert.equal(await slow, 100_000);
  await assert.rejects(database.read('countSlowly', { steps: 1 }), { code: 'database_unavailable' });
});

test('a small one has no other thread for it', async () => {
  const database = await open(join(directory, 'small.db'), 2 ** 30);
  const order: string[] = [];
  await Promise.all([
    database.read('countSlowly', { steps: 100_000 }).then(() => order.push('slow')),
    database.read('countEvents', null).then(() => order.push('quick')),
  ]);
  assert.deepEqual(order, ['slow', 'quick']);
  await database.close();
});

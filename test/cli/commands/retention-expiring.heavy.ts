import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorkplace } from '../workplace.ts';

test('retention expiring lists what will go, the first to expire first', async () => {
  using place = openWorkplace();
  place.write({ 'tree/a': 'a' });
  await place.serve('serve', '--port', '0');
  assert.match((await place.run('retention', 'expiring')).stderr, /^no packages$/m);
  for (const slug of ['raw-evidence', 'transient', 'permanent-record'])
    assert.equal((await place.run('push', 'tree', '--name', slug, '--retention-class', slug)).code, 0);
  const { stdout } = await place.run('retention', 'expiring');
  const rows = stdout.trimEnd().split('\n');
  assert.match(rows[0]!, /^ID +NAME +PRODUCER +CLASS +SIZE +EXPIRES$/);
  assert.deepEqual(
    rows.slice(1).map((row) => row.split(/ {2,}/)[1]),
    ['transient', 'raw-evidence'],
  );
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString();
  const first = await place.json<{ items: readonly { name: string }[] }>('retention', 'expiring', '--until', inTwoDays);
  assert.deepEqual(
    first.items.map(({ name }) => name),
    ['transient'],
  );
  const { stderr } = await place.run('retention', 'expiring', '--limit', '1');
  assert.match(stderr, /^there are more: --cursor \S+$/m);
  assert.equal((await place.run('retention', 'expiring', '--cursor', 'none')).code, 2);
  assert.equal((await place.run('retention', 'expiring', '--until', 'soon')).code, 2);
});

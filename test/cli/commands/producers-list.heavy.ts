import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorkplace } from '../workplace.ts';

test('producers list shows who has how much of what quota, which a push does not pass', async () => {
  using place = openWorkplace({ ARTIFACTSTORE_ACCESS_CONFIG_PATH: 'access.toml' });
  place.write({
    'access.toml': '[quotas.acme]\nmaximum_bytes = 2000\nmaximum_packages = 3\n[quotas.full]\nmaximum_packages = 0\n',
    'tree/a': 'x'.repeat(1000),
    'tree/b': 'y'.repeat(999),
  });
  const { url } = await place.serve('serve', '--port', '0');
  assert.match((await place.run('producers', 'list')).stderr, /^no producers$/m);
  const push = (producer: string) => place.run('push', 'tree', '--producer', producer);
  assert.equal((await push('acme')).code, 0);
  assert.equal((await push('free')).code, 0);
  const refused = await push('acme');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /"acme" has 1999 bytes of its quota of 2000, and \d+ more do not fit; .* \(quota_exceeded\)/);
  assert.match((await push('full')).stderr, /"full" has 0 packages, and its quota is 0; .* \(quota_exceeded\)/);

  const { stdout } = await place.run('producers', 'list');
  assert.equal(
    stdout,
    [
      'PRODUCER  PACKAGES  FILES  LOGICAL             USED',
      'acme      1 of 3    2      2.0 KiB of 2.0 KiB  99 %',
      'free      1         2      2.0 KiB             -',
      '',
    ].join('\n'),
  );
  const first = await place.json<{ items: readonly object[]; next_cursor: string }>('producers', 'list', '--limit', '1');
  assert.deepEqual(first.items, [{ producer: 'acme', packages: 1, files: 2, bytes: 1999, maximum_packages: 3, maximum_bytes: 2000 }]);
  const rest = await place.json<{ items: readonly { producer: string }[] }>('producers', 'list', '--cursor', first.next_cursor);
  assert.deepEqual(
    rest.items.map(({ producer }) => producer),
    ['free'],
  );
  assert.equal((await place.run('producers', 'list', '--cursor', 'none')).code, 2);
  const metrics = await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer cli-test-token' } });
  assert.match(await metrics.text(), /^artifactstore_producer_quota_bytes\{producer="acme"\} 2000$/m);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openServedWorkplace } from '../served-workplace.ts';
import { openWorkplace } from '../workplace.ts';

test('whoami shows whom the server takes one for, with a token and without', async () => {
  await using served = await openServedWorkplace();
  const { stdout } = await served.place.run('whoami');
  assert.equal(stdout, 'tester, token of the server\nROLE   PRODUCERS\nadmin  *\n');
  const you = await served.registry.whoami();
  assert.deepEqual(await served.place.json('whoami'), you);
  assert.deepEqual(you.grants, [{ role: 'admin', producers: [{ glob: '*' }] }]);

  using stranger = openWorkplace({ ARTIFACTSTORE_API_URL: served.url, ARTIFACTSTORE_API_TOKEN: '' });
  assert.equal((await stranger.run('whoami')).stdout, 'anonymous, without a token\nmay do nothing\n');
  using mistaken = openWorkplace({ ARTIFACTSTORE_API_URL: served.url, ARTIFACTSTORE_API_TOKEN: 'wrong' });
  const { code, stderr } = await mistaken.run('whoami');
  assert.equal(code, 1);
  assert.match(stderr, /\(unauthorized\)\nhint: set ARTIFACTSTORE_API_TOKEN .* ARTIFACTSTORE_API_TOKEN_FILE or ARTIFACTSTORE_IDENTITY/);
});

import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import type { File, Health, Page } from '../../src/registry/REGISTRY.ts';
import { openWorkplace } from './workplace.ts';

test('a server starts without its storage, says so, takes nothing, and serves when the storage is back', async () => {
  // Its files lie in the storage when that goes.
  using place = openWorkplace({ ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' });
  place.write({ 'tree/a': 'a', 'more/b': 'b' });
  const first = await place.serve('serve', '--port', '0');
  const { package_id } = await place.json<{ readonly package_id: string }>('push', 'tree');
  assert.equal(await first.signal('SIGTERM'), 0);
  renameSync(place.path('var/storage'), place.path('away'));

  const server = await place.serve('serve', '--port', '0');
  const status = async (path: string) => (await fetch(`${server.url}${path}`)).status;
  assert.match(server.log(), /"msg":"a storage backend cannot be used now"/);
  assert.deepEqual([await status('/livez'), await status('/health'), await status('/readyz')], [200, 200, 503]);
  const { db, backend } = (await (await fetch(`${server.url}/health`)).json()) as Health;
  assert.deepEqual([db.healthy, backend.healthy], [true, false]);
  const headers = { authorization: 'Bearer cli-test-token', 'content-type': 'application/json' };
  const content = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
  const opened = await fetch(`${server.url}/packages`, { method: 'POST', headers, body: JSON.stringify(content) });
  const { id } = (await opened.json()) as { readonly id: string };
  const { items } = (await (await fetch(`${server.url}/packages/${package_id}/files`, { headers })).json()) as Page<File>;
  for (const answer of [
    await fetch(`${server.url}/packages/${id}/files/f`, { method: 'PUT', headers, body: 'x' }),
    await fetch(`${server.url}/files/${items[0]!.id}/download`, { headers }),
  ]) {
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /has no marker of this registry, and 1 live object should lie there: is it mounted\?/);
  }
  assert.equal(existsSync(place.path('var/storage')), false);

  renameSync(place.path('away'), place.path('var/storage'));
  assert.equal((await place.run('push', 'more')).code, 0);
  assert.equal((await place.run('pull', package_id, 'pulled', '--force')).code, 0);
  await server.signal('SIGTERM');
});

test('health names the backend that cannot be opened, and not the database', async () => {
  using place = openWorkplace();
  await place.run('migrate');
  using far = openWorkplace({
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${place.path('var/artifactstore.db')}`,
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_BUCKET: 'artifacts',
    ARTIFACTSTORE_S3_ACCESS_KEY_REF: `file:${place.path('no-such-key')}`,
    ARTIFACTSTORE_S3_SECRET_KEY_REF: `file:${place.path('no-such-key')}`,
  });
  const { code, stdout } = await far.run('health');
  const { db, backend } = JSON.parse(stdout) as Health;
  assert.deepEqual([code, db.healthy, backend.healthy], [1, true, false]);
  assert.match(backend.detail, /no-such-key/);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openServedWorkplace } from '../served-workplace.ts';

test('a package is found by the digest of its manifest, and another form is refused by its option', async () => {
  await using served = await openServedWorkplace();
  const { place } = served;
  place.write({ 'tree/a': 'a' });
  const sealed = await place.json<{ readonly package_id: string; readonly manifest_digest: string }>(
    'push',
    'tree',
    '--name',
    'n',
    '--producer',
    'p',
  );
  const found = await place.json<{ readonly items: readonly { readonly id: string }[] }>(
    ...['packages', 'list', '--manifest-digest', sealed.manifest_digest],
  );
  assert.deepEqual(
    found.items.map(({ id }) => id),
    [sealed.package_id],
  );
  const { code, stderr } = await place.run('packages', 'list', '--manifest-digest', sealed.manifest_digest.slice(7));
  assert.equal(code, 2);
  assert.match(stderr, /--manifest-digest: The digest of a manifest is BLAKE3/);
});

test('a held package is marked, and what an earlier server does not say is said to be unknown', async () => {
  await using served = await openServedWorkplace();
  const { place, registry } = served;
  const { id } = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
  assert.match((await place.run('packages', 'list')).stdout, / created +0 /);
  await registry.retention.hold(id, { reason: 'an audit' });
  const held = await place.run('packages', 'list');
  assert.match(held.stdout, / created, held +0 /);
  assert.doesNotMatch(held.stderr, /not known/);
  assert.match((await place.run('packages', 'show', id)).stdout, /^hold_count +1$/m);
  const page = JSON.stringify(await place.json('packages', 'list')).replace(',"hold_count":1', '');
  const earlier = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(page)).listen(0);
  await once(earlier, 'listening');
  const unknown = await place.run('packages', 'list', '--api-url', `http://127.0.0.1:${(earlier.address() as AddressInfo).port}`);
  earlier.close().closeAllConnections();
  assert.match(unknown.stdout, / created +0 /);
  assert.match(unknown.stderr, /whether a hold keeps them is not known/);
});

test('a metadata key with a dot is refused with the words to type', async () => {
  await using served = await openServedWorkplace();
  const { place } = served;
  const { code, stderr } = await place.run('packages', 'list', '--metadata', "a.b=it's");
  assert.equal(code, 2);
  const [, hint = ''] = /^hint: (.*)$/m.exec(stderr) ?? [];
  assert.equal(hint, `--metadata '"a.b"=it'\\''s'`);
  const asked = await place.shell(`$A packages list ${hint}`);
  assert.deepEqual([asked.code, asked.stderr], [0, 'no packages\n']);
});

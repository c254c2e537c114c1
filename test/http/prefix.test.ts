import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { parseBasePath } from '../../src/config/base-path.ts';
import { withoutBasePath } from '../../src/http/prefix.ts';
import { openDoor, until } from '../doors/rest/open-door.ts';

const packageBody = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };

test('a server below a path says so in every address, whether the proxy leaves the path or cuts it off', async () => {
  await using door = await openDoor({ prefix: { basePath: '/a/b', trustForwardedPrefix: false } });
  for (const path of ['/packages', '/a/b/packages']) {
    const made = await door.json(path, packageBody);
    assert.equal(made.status, 201);
    const location = made.headers.get('location') ?? '';
    assert.match(location, /^\/a\/b\/packages\/[0-9a-f-]{36}$/);
    assert.equal((await door.call(location)).status, 200);
  }
  const banner = (await (await door.call('/a/b/')).json()) as { readonly openapi: string; readonly docs: string };
  assert.deepEqual([banner.openapi, banner.docs], ['/a/b/openapi.json', '/a/b/docs/']);
  for (const path of ['/a/b/openapi.json', '/a/b/docs/json']) {
    const document = (await (await door.call(path)).json()) as { readonly servers: readonly { readonly url: string }[] };
    assert.deepEqual(document.servers, [{ url: '/a/b' }], path);
  }
  assert.equal((await door.call('/a/bc/packages')).status, 404);
  // A stranger's header changes nothing.
  const refused = await door.call('/', { headers: { 'x-forwarded-prefix': '/evil' } });
  assert.doesNotMatch(await refused.text(), /evil/);
});

test('the header of a proxy is taken where it is trusted, and only when it is a plain path', async () => {
  await using door = await openDoor({ prefix: { basePath: '', trustForwardedPrefix: true } });
  const docs = async (header?: string) => {
    const answer = await door.call('/', { headers: header === undefined ? {} : { 'x-forwarded-prefix': header } });
    assert.equal(answer.headers.get('vary'), 'x-forwarded-prefix');
    return ((await answer.json()) as { readonly docs: string }).docs;
  };
  assert.equal(await docs('/artifacts/'), '/artifacts/docs/');
  assert.equal(await docs(), '/docs/');
  for (const bad of ['//evil.example', 'https://evil.example', '/a/../b', '/a"b', 'a', '/a b', `/${'a'.repeat(300)}`])
    assert.equal(await docs(bad), '/docs/', bad);
});

test('the pages for people find their parts below any path, without being told', async () => {
  await using door = await openDoor();
  const answer = await fetch(`${door.url}/docs?x=1`, { redirect: 'manual' });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('location'), 'docs/?x=1');
  const page = await (await fetch(`${door.url}/docs/`)).text();
  const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link ?? '');
  assert.ok(links.length > 2);
  assert.deepEqual(
    links.filter((link) => link.startsWith('/')),
    [],
  );
});

test('a base path is a path that is no route', () => {
  assert.equal(parseBasePath('/'), '');
  assert.equal(parseBasePath('/artifacts/'), '/artifacts');
  for (const bad of ['artifacts', '//x', '/a/../b', '/a?b', '/packages', '/files/x', 'https://example.org/a'])
    assert.throws(() => parseBasePath(bad), bad);
  assert.equal(withoutBasePath('/a', '/a'), '/');
  assert.equal(withoutBasePath('/a?x', '/a'), '/?x');
  assert.equal(withoutBasePath('/ab', '/a'), '/ab');
});

const whyNoIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'))
  ? false
  : 'this machine has no address ::1';

test('an IPv6 address may have its brackets', { skip: whyNoIpv6 }, async () => {
  await using door = await openDoor({ host: '[::1]' });
  assert.match(door.url, /^http:\/\/\[::1\]:\d+$/);
  assert.equal((await fetch(`${door.url}/livez`)).status, 200);
});

test('probes that were answered well can be kept out of the log', async () => {
  for (const logProbes of [true, false]) {
    await using door = await openDoor({ logProbes });
    for (const path of ['/livez', '/readyz', '/health', '/metrics', '/packages']) await (await door.call(path)).text();
    await (await fetch(`${door.url}/metrics`)).text();
    const logged = () =>
      door.lines
        .map(
          (line) => JSON.parse(line) as { readonly level: number; readonly msg: string; readonly route: string; readonly status: number },
        )
        .filter(({ level, msg }) => level >= 30 && msg === 'request')
        .map(({ route, status }) => `${route} ${status}`);
    await until(() => logged().includes('/metrics 401') && logged().includes('/packages 200'));
    assert.equal(logged().length, logProbes ? 6 : 2, logged().join());
  }
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { blake3, toHex } from '../../../../src/kernel/content/digest.ts';
import { decodeCbor } from '../../../../src/kernel/format/cbor.ts';
import { canonicalJson } from '../../../../src/kernel/format/json.ts';
import type { Finalized, Package, Page } from '../../../../src/registry/REGISTRY.ts';
import { actor, assertProblem, authorization, type Door, openDoor } from '../open-door.ts';

let door: Door;
before(async () => {
  door = await openDoor();
});
after(() => door[Symbol.asyncDispose]());

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };

test('a package is opened, found, filled, sealed', async () => {
  const opened = await door.json('/packages', { ...input, metadata: { build: 7, ok: true } });
  assert.equal(opened.status, 201);
  const record = (await opened.json()) as Package;
  assert.equal(opened.headers.get('location'), `/packages/${record.id}`);
  assert.deepEqual([record.status, record.created_by, record.metadata], ['created', actor, { build: 7, ok: true }]);
  assert.deepEqual(await (await door.call(`/packages/${record.id}`)).json(), record);

  await assertProblem(await door.call(`/packages/${record.id}/manifest`), 409, 'package_not_finalized');
  await assertProblem(await door.call(`/packages/${record.id}/finalize`, { method: 'POST' }), 409, 'package_empty');
  await door.call(`/packages/${record.id}/files/a`, { method: 'PUT', body: 'a' });
  const sealed = await door.call(`/packages/${record.id}/finalize`, { method: 'POST' });
  const finalized = (await sealed.json()) as Finalized;
  assert.equal(sealed.status, 200);
  assert.deepEqual(await (await door.json(`/packages/${record.id}/finalize`, {})).json(), finalized);
  await assertProblem(await door.call(`/packages/${record.id}`, { method: 'DELETE' }), 409, 'package_not_open');
  await manifestOf(record.id, finalized.manifest_digest);
});

test('a long manifest as JSON is the same text as a short one, in pieces', async () => {
  const metadata = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, 'ü'.repeat(550)]));
  const created = await door.json('/packages', { ...input, metadata });
  const { id } = (await created.json()) as { readonly id: string };
  await door.call(`/packages/${id}/files/a`, { method: 'PUT', body: 'a' });
  const finalized = (await (await door.json(`/packages/${id}/finalize`, {})).json()) as { readonly manifest_digest: string };
  const bytes = new Uint8Array(await (await door.call(`/packages/${id}/manifest`)).arrayBuffer());
  assert.ok(bytes.length > 262_144, String(bytes.length));
  const json = await door.call(`/packages/${id}/manifest.json`);
  assert.deepEqual([json.headers.get('content-type'), json.headers.get('etag')], ['application/json', `W/"${finalized.manifest_digest}"`]);
  assert.equal(json.headers.get('content-length'), null);
  assert.equal(await json.text(), canonicalJson(decodeCbor(bytes)));
  assert.equal(await (await door.call(`/packages/${id}/manifest.json`, { method: 'HEAD' })).text(), '');
});

async function manifestOf(id: string, digest: string): Promise<void> {
  const cbor = await door.call(`/packages/${id}/manifest`);
  assert.equal(cbor.headers.get('content-type'), 'application/cbor');
  assert.equal(cbor.headers.get('etag'), `"${digest}"`);
  const bytes = new Uint8Array(await cbor.arrayBuffer());
  assert.equal(`blake3:${toHex(blake3(bytes))}`, digest);
  const json = await door.call(`/packages/${id}/manifest`, { headers: { accept: 'application/json' } });
  assert.equal(json.headers.get('content-type'), 'application/json');
  const text = await json.text();
  assert.equal(text, canonicalJson(decodeCbor(bytes)));
  assert.equal(await (await door.call(`/packages/${id}/manifest.json`)).text(), text);
  for (const headers of [{ 'if-none-match': `"${digest}"` }, { 'if-none-match': '*', accept: 'application/json' }])
    assert.equal((await door.call(`/packages/${id}/manifest`, { headers })).status, 304);
  const head = await door.call(`/packages/${id}/manifest`, { method: 'HEAD' });
  assert.deepEqual([head.headers.get('content-length'), await head.text()], [String(bytes.length), '']);
}

test('an idempotency key gives the same package for the same body, and no other', async () => {
  const post = (key: string, body: object) =>
    door.call('/packages', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
  const first = await post('key', input);
  const again = await post('key', input);
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.deepEqual(await again.json(), await first.json());
  const { field } = await assertProblem(await post('key', { ...input, name: 'other' }), 409, 'idempotency_conflict');
  assert.equal(field, 'Idempotency-Key');
});

test('lists page through everything, and filter', async () => {
  for (let index = 0; index < 5; index++)
    await door.json('/packages', { ...input, subject: 'listed', metadata: { index, even: index % 2 === 0, 'a b&c': 'x=y' } });
  const seen: unknown[] = [];
  let path: string | undefined = '/packages?subject=listed&limit=2';
  while (path !== undefined) {
    const { items, next_cursor } = (await (await door.call(path)).json()) as Page<Package>;
    seen.push(...items.map(({ metadata }) => metadata.index));
    path = next_cursor === null ? undefined : `/packages?subject=listed&limit=2&cursor=${encodeURIComponent(next_cursor)}`;
  }
  assert.deepEqual(seen, [4, 3, 2, 1, 0]);
  const count = async (query: string) => ((await (await door.call(`/packages?${query}`)).json()) as Page<Package>).items.length;
  assert.equal(await count('metadata.index=3'), 1);
  assert.equal(await count('subject=listed&metadata.even=true'), 3);
  assert.equal(await count('metadata.even=true&metadata.index=1'), 0);
  assert.equal(await count('metadata.a+b%26c=x%3Dy'), 5);
  assert.equal(await count('metadata.__proto__=1'), 0);
  assert.equal(await count('subject=listed&status=finalized'), 0);
  assert.equal(await count('producer=nobody'), 0);
});

test('a package is found by the digest of its manifest', async () => {
  const { id } = await door.newPackage();
  await door.call(`/packages/${id}/files/a`, { method: 'PUT', body: 'a' });
  const { manifest_digest } = (await (await door.json(`/packages/${id}/finalize`, {})).json()) as { readonly manifest_digest: string };
  const ask = (digest: string) => door.call(`/packages?manifest_digest=${digest}`);
  for (const digest of [manifest_digest, manifest_digest.replace(':', '%3A')])
    assert.deepEqual(
      ((await (await ask(digest)).json()) as Page<Package>).items.map((item) => item.id),
      [id],
    );
  for (const wrong of ['', manifest_digest.slice(7), manifest_digest.replace('blake3', 'sha256'), manifest_digest.toUpperCase()]) {
    const { field } = await assertProblem(await ask(wrong), 400, 'invalid_address');
    assert.equal(field, 'manifest_digest');
  }
  await assertProblem(await ask('x'.repeat(5_000)), 400, 'malformed_request');
});

test('a package that is given up says so, twice', async () => {
  const { id } = await door.newPackage();
  for (let time = 0; time < 2; time++) {
    const response = await door.call(`/packages/${id}`, { method: 'DELETE' });
    assert.deepEqual([response.status, ((await response.json()) as Package).status], [200, 'abandoned']);
  }
});

test('metadata schemas are registered once and looked up', async () => {
  const json_schema = { type: 'object', required: ['build'], properties: { build: { type: 'integer' } } };
  const register = (schema: object) => door.json('/metadata-schemas', { slug: 'build.v1', json_schema: schema });
  const first = await register(json_schema);
  assert.equal(first.status, 201);
  assert.equal(first.headers.get('location'), '/metadata-schemas/build.v1');
  const record = await first.json();
  const again = await register(json_schema);
  assert.deepEqual([again.status, await again.json()], [200, record]);
  await assertProblem(await register({ type: 'object' }), 409, 'metadata_schema_conflict');
  assert.deepEqual(await (await door.call('/metadata-schemas/build.v1')).json(), record);
  assert.deepEqual(await (await door.call('/metadata-schemas')).json(), { items: [record], next_cursor: null });
  const wrong = { ...input, metadata_schema_slug: 'build.v1', metadata: { build: 'seven' } };
  await assertProblem(await door.json('/packages', wrong), 422, 'metadata_mismatch');
  assert.equal((await door.json('/packages', { ...wrong, metadata: { build: 7 } })).status, 201);
});

test('the retention classes are listed', async () => {
  const { items } = (await (await door.call('/retention-classes')).json()) as { items: { slug: string }[] };
  assert.deepEqual(items.map(({ slug }) => slug).sort(), [
    'permanent-record',
    'raw-evidence',
    'release-evidence',
    'summary-evidence',
    'transient',
  ]);
});

test('files are found by path order, id and either digest', async () => {
  const { id } = await door.newPackage();
  for (const path of ['b', 'a', 'c/d']) await door.call(`/packages/${id}/files/${path}`, { method: 'PUT', body: 'found by digest' });
  const page = (await (await door.call(`/packages/${id}/files?limit=2`)).json()) as Page<{
    id: string;
    relative_path: string;
    digest_sha256: string;
    content_address: string;
  }>;
  assert.deepEqual(
    page.items.map(({ relative_path }) => relative_path),
    ['a', 'b'],
  );
  const [first] = page.items;
  assert.deepEqual(await (await door.call(`/files/${first!.id}`)).json(), first);
  for (const digest of [first!.content_address, `sha256:${first!.digest_sha256}`]) {
    const found = (await (await door.call(`/files?digest=${digest}`)).json()) as Page<{ relative_path: string }>;
    assert.deepEqual(
      found.items.map(({ relative_path }) => relative_path),
      ['b', 'a', 'c/d'],
    );
  }
});

test('a query says what it asks for, or is refused in words', async () => {
  const raw = await door.raw(
    Buffer.from(`GET /packages?subject=ü HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`),
  );
  assert.match(raw, /^HTTP\/1\.1 400 .*percent-encoded.*data-urlencode/s);
  const refused = async (query: string) =>
    String((await assertProblem(await door.call(`/packages?${query}`), 400, 'malformed_request')).detail);
  assert.match(await refused('metadata.a.b=1'), /metadata\."a\.b"/);
  assert.match(await refused('metadata.=1'), /names a key/);
  assert.match(await refused('metadata.build'), /has no value/);
  assert.match(await refused('producer='), /is empty/);
  assert.match(await refused('metadata.a=%5B1%5D'), /not an array/);
  assert.match(await refused('created_after=now'), /RFC 3339/);
  const id = ((await (await door.json('/packages', { ...input, metadata: { 'a.b': 1 } })).json()) as Package).id;
  const found = (await (await door.call('/packages?metadata.%22a.b%22=1&created_after=2020-01-01T00:00:00Z')).json()) as Page<Package>;
  assert.deepEqual(
    found.items.map((item) => item.id),
    [id],
  );
  const bare = await assertProblem(await door.call(`/files?digest=${'ab'.repeat(32)}`), 400, 'invalid_address');
  assert.match(String(bare.detail), /write sha256:abab/);
  assert.match(String((await assertProblem(await door.call('/packages/nightly'), 400, 'invalid_id')).detail), /"nightly"/);
});

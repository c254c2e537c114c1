import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../../../src/doors/rest/problem.ts';
import { chunks } from '../../../../src/registry/conformance/samples.ts';
import type { File, Page } from '../../../../src/registry/REGISTRY.ts';
import { assertProblem, type Door, openDoor } from '../open-door.ts';

let door: Door;
before(async () => {
  door = await openDoor();
});
after(() => door[Symbol.asyncDispose]());

test('a file is found by its exact path, in an open package and in a collected one', async () => {
  const { id } = await door.newPackage();
  const path = 'a b/ü+%2F&=?#';
  const put = await door.call(`/packages/${id}/files/${path.split('/').map(encodeURIComponent).join('/')}`, { method: 'PUT', body: 'x' });
  const record = (await put.json()) as File;
  assert.equal(record.relative_path, path);
  await door.call(`/packages/${id}/files/other`, { method: 'PUT', body: 'y' });
  const find = (text: string) => door.call(`/packages/${id}/files?relative_path=${encodeURIComponent(text)}`);
  assert.deepEqual(await (await find(path)).json(), { items: [record], next_cursor: null });
  for (const none of ['a b', 'A b/ü+%2F&=?#', 'a b/u\u0308+%2F&=?#'])
    assert.deepEqual(await (await find(none)).json(), { items: [], next_cursor: null });

  await door.call(`/packages/${id}`, { method: 'DELETE' });
  await door.store.operator.collect();
  const { items } = (await (await find(path)).json()) as Page<File>;
  assert.deepEqual(items, [{ ...record, locations: [{ ...record.locations[0]!, state: 'deleted' }] }]);
});

test('a package whose bytes are gone refuses whatever is done to it, and says so', async () => {
  const classes = '[retention_classes.blink]\ndefault_duration_seconds = 1\n';
  await using door = await openDoor({
    environment: { ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' },
    files: { 'retention.toml': classes },
  });
  const { packages, files } = door.registry;
  const { id } = (await packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'blink' })).record;
  const { record } = await files.add(id, { relative_path: 'f', body: chunks('gone') });
  await packages.finalize(id);
  while ((await door.store.operator.sweep()).marked_count === 0) await sleep(100);
  await door.store.operator.collect();
  const upload = await door.json('/uploads', { expected_size_bytes: 1 });
  const { location } = Object.fromEntries(upload.headers) as { readonly location: string };
  assert.equal((await door.call(location, { method: 'PUT', body: 'x' })).status, 200);
  const items = [{ relative_path: 'g', content_address: record.content_address, size_bytes: 4 }];
  const form = new FormData();
  form.append('file', new Blob(['x']), 'g');
  for (const [what, send] of Object.entries({
    put: () => door.call(`/packages/${id}/files/g`, { method: 'PUT', body: 'x' }),
    attach: () => door.json(`/packages/${id}/files`, { items }),
    form: () => door.call(`/packages/${id}/files`, { method: 'POST', body: form }),
    complete: () => door.json(`${location}/complete`, { package_id: id, relative_path: 'g' }),
    seal: () => door.call(`/packages/${id}/finalize`, { method: 'POST' }),
    hold: () => door.json(`/packages/${id}/retention/holds`, { reason: 'r' }),
    read: () => door.call(`/files/${record.id}/download`),
    archive: () => door.call(`/packages/${id}/archive`),
    some: () => door.json(`/packages/${id}/archive`, { relative_paths: ['f'] }),
  })) {
    const response = await send();
    assert.deepEqual([what, response.status, ((await response.json()) as Problem).code], [what, 410, 'package_collected']);
  }
});

test('a path that is none, a cursor beside it and a package that is not there are refused', async () => {
  const { id } = await door.newPackage();
  for (const path of ['', '/a', 'a/../b', 'a%5Cb'])
    await assertProblem(await door.call(`/packages/${id}/files?relative_path=${path}`), 400, 'invalid_path');
  await assertProblem(await door.call(`/packages/${id}/files?relative_path=a&cursor=x`), 400, 'invalid_cursor');
  await assertProblem(await door.call(`/packages/${id}/files?relative_path=a&relative_path=b`), 400, 'malformed_request');
  const absent = '01900000-0000-7000-8000-000000000000';
  await assertProblem(await door.call(`/packages/${absent}/files?relative_path=a`), 404, 'package_not_found');
});

test('files that are added again are not answered with more text than a request that adds them can have', async () => {
  const { id } = await door.newPackage();
  const annotations = Object.fromEntries(Array.from({ length: 64 }, (_, key) => [`key-${key}`, 'x'.repeat(1_024)]));
  const paths = Array.from({ length: 260 }, (_, index) => `file-${index}`);
  const source = (await door.registry.files.add(id, { relative_path: 'source', body: chunks('x') })).record;
  const items = (some: readonly string[], more = {}) =>
    some.map((relative_path) => ({ relative_path, content_address: source.content_address, size_bytes: 1, ...more }));
  for (const some of [paths.slice(0, 130), paths.slice(130)]) await door.registry.files.attach(id, items(some, { annotations }));

  const refused = await door.json(`/packages/${id}/files`, { items: items(paths) });
  const problem = await assertProblem(refused, 422, 'too_many_files');
  assert.equal((problem.info as Record<string, unknown>).bound, 'repeated_bytes');
  const form = new FormData();
  for (const path of paths) form.append('file', new Blob(['x']), path);
  await assertProblem(await door.call(`/packages/${id}/files`, { method: 'POST', body: form }), 422, 'too_many_files');

  const fewer = await door.json(`/packages/${id}/files`, { items: items(paths.slice(0, 200)) });
  const { items: attached } = (await fewer.json()) as { readonly items: readonly { readonly result: string }[] };
  assert.deepEqual(new Set(attached.map(({ result }) => result)), new Set(['exists']));
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitting, maximumPageBytes } from '../../../src/registry/operations/page.ts';
import type { Page, PageQuery, Registry } from '../../../src/registry/REGISTRY.ts';
import { openTestRegistry } from '../open-registry.ts';

const mebibyte = 1_048_576;

async function pagesOf<T>(read: (query: PageQuery) => Promise<Page<T>>): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<T> = await read({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    pages.push(page.items);
    cursor = page.next_cursor;
  }
  return pages;
}

const create = async (registry: Registry, metadata = {}) =>
  (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', metadata })).record.id;

test('a page ends before 2 MiB, holds at least one item, and never more than was asked for', () => {
  const sizes = (...quarters: readonly number[]) => quarters.map((size) => ({ size: (size * mebibyte) / 4 }));
  assert.partialDeepStrictEqual(fitting([], 10), { count: 0, more: false });
  assert.partialDeepStrictEqual(fitting(sizes(9), 10), { count: 1, more: false });
  assert.partialDeepStrictEqual(fitting(sizes(9, 0), 10), { count: 1, more: true });
  assert.partialDeepStrictEqual(fitting(sizes(3, 3, 3), 10), { count: 2, more: true });
  assert.partialDeepStrictEqual(fitting(sizes(1, 1, 1), 2), { count: 2, more: true });
  assert.partialDeepStrictEqual(fitting(sizes(1, 1), 2), { count: 2, more: false });
  const { bytes } = fitting(sizes(3, 3), 10);
  assert.deepEqual(fitting(sizes(3), 10, bytes), { count: 0, more: true, bytes });
});

test('every list is cut at 2 MiB and continues by its cursor, with nothing twice and nothing left out', async () => {
  await using store = await openTestRegistry();
  const registry = store.as('tester');
  const small = await create(registry);
  const ids = [small];
  for (let made = 0; made < 12; made++) ids.push(await create(registry, { kind: 'large', text: 'x'.repeat(900_000) }));
  for (const metadata of [undefined, { kind: 'large' }]) {
    const pages = await pagesOf((query) => registry.packages.list({ ...query, ...(metadata === undefined ? {} : { metadata }) }));
    assert.deepEqual(
      pages.flat().map(({ id }) => id),
      ids.slice(metadata === undefined ? 0 : 1).toReversed(),
    );
    assert.ok(pages.length >= 2);
    for (const page of pages) assert.ok(JSON.stringify(page).length <= maximumPageBytes);
  }

  const annotations = Object.fromEntries(Array.from({ length: 64 }, (_, key) => [`key-${key}`, 'x'.repeat(1_024)]));
  const paths = Array.from({ length: 130 }, (_, number) => `file-${1000 + number}`);
  const body = async function* () {
    yield new Uint8Array([7]);
  };
  async function* files() {
    for (const relative_path of paths) yield { relative_path, body: body(), annotations };
  }
  const [added] = await registry.files.addMany(small, files());
  const listed = await pagesOf((query) => registry.files.list(small, query));
  const found = await pagesOf((query) => registry.files.withDigest(added!.record.content_address, query));
  for (const pages of [listed, found]) {
    assert.deepEqual(
      pages.flat().map(({ relative_path }) => relative_path),
      paths,
    );
    assert.ok(pages.length >= 2);
    for (const page of pages) assert.ok(JSON.stringify(page).length <= maximumPageBytes);
  }

  for (let number = 0; number < 9; number++)
    await registry.metadataSchemas.register({ slug: `schema-${number}`, json_schema: { description: 'x'.repeat(1_000_000) } });
  const schemas = await pagesOf((query) => registry.metadataSchemas.list(query));
  assert.deepEqual(
    schemas.map((page) => page.length),
    [2, 2, 2, 2, 1],
  );
});

test('a retention record has so many holds and events, and says how many it leaves out', async () => {
  await using store = await openTestRegistry();
  const registry = store.as('tester');
  const id = await create(registry);
  await registry.files.add(id, { relative_path: 'a', body: one() });
  await registry.packages.finalize(id);
  const first = await registry.retention.hold(id, { reason: 'the first' });
  const applied = await Promise.all(Array.from({ length: 505 }, () => registry.retention.hold(id, { reason: 'another' })));
  const released = applied.slice(-10);
  await Promise.all(released.map((hold) => registry.retention.release(id, hold.id)));
  const record = await registry.retention.show(id);
  assert.deepEqual([record.holds.length, record.holds_left_out], [500, 6]);
  const shown = new Set(record.holds.map((hold) => hold.id));
  for (const hold of [first, ...applied.slice(0, -10)]) assert.ok(shown.has(hold.id));
  assert.deepEqual(
    record.holds.map(({ applied_at }) => applied_at),
    record.holds.map(({ applied_at }) => applied_at).toSorted(),
  );
  const all = await registry.events.page({ limit: 1, subject_kind: 'package', subject_id: id });
  assert.equal(record.history.at(-1)?.sequence, all.last_sequence);
  assert.equal(record.history.length, 500);
  // Created, a file, 506 holds and 10 releases; the sealing is not told.
  assert.equal(record.history_left_out, 518 - 500);
  assert.equal((await registry.retention.release(id, first.id)).id, first.id);
});

async function* one(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('a');
}

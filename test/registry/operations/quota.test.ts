import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { chunks, patterned } from '../../../src/registry/conformance/samples.ts';
import type { File, NewFile, Registry } from '../../../src/registry/REGISTRY.ts';
import { assertClean } from '../assert-clean.ts';
import { openBounded } from '../bounded.ts';

const file = (path: string, bytes: Uint8Array): NewFile => ({ relative_path: path, body: chunks(bytes) });
const add = async (registry: Registry, id: string, path: string, bytes: Uint8Array): Promise<File> =>
  (await registry.files.add(id, file(path, bytes))).record;

async function* several(...files: readonly NewFile[]): AsyncIterable<NewFile> {
  yield* files;
}

/** A body of which no byte may be asked for. */
async function* unread(): AsyncGenerator<Uint8Array> {
  yield assert.fail('the body was read');
}

function exceeded(info: object): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isArtifactstoreError(error, 'quota_exceeded'), String(error));
    assert.deepEqual(error.info, info);
    return true;
  };
}

const itemOf = ({ digest_sha256, size_bytes }: File, relative_path: string) => ({
  relative_path,
  content_address: `sha256:${digest_sha256}`,
  size_bytes,
});

describe('a quota of bytes', () => {
  it('is filled to the last byte, and not by one more', async () => {
    await using store = await openBounded();
    const { registry } = store;
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    await add(registry, id, 'a', patterned(600));
    await add(registry, id, 'b', patterned(400));
    const over = (asked: number) => exceeded({ producer: 'near', maximum_bytes: 1000, used: 1000, asked });
    await assert.rejects(add(registry, id, 'c', patterned(1)), over(1));
    await assert.rejects(registry.files.addMany(id, several(file('c', patterned(1)), file('d', patterned(1)))), over(1));
    await add(registry, id, 'empty', patterned(0));
    assert.equal((await registry.packages.get(id))?.total_bytes, 1000);
    await assertClean(store, { near: 3, far: 0 });
  });

  it('is asked about an upload in pieces when it is begun, as its bytes come, and when its file is made', async () => {
    await using store = await openBounded();
    const { registry } = store;
    const uploads = registry.uploads!;
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    await add(registry, id, 'a', patterned(600));
    const over = (used: number, asked: number) => exceeded({ producer: 'near', maximum_bytes: 1000, used, asked });
    const begin = (relative_path: string, size?: number) =>
      uploads.begin({ package_id: id, relative_path, ...(size === undefined ? {} : { size_bytes: size }) });
    await assert.rejects(begin('sized', 401), over(600, 401));
    const [sized, late, open] = [await begin('sized', 400), await begin('late', 1), await begin('open')];
    await uploads.append(open.id, 0, chunks(patterned(300)));
    await assert.rejects(uploads.append(open.id, 300, chunks(patterned(101))), over(600, 401));
    await uploads.append(sized.id, 0, chunks(patterned(400)));
    for (const [upload, offset, asked] of [
      [late, 0, 1],
      [open, 300, 300],
    ] as const)
      await assert.rejects(uploads.append(upload.id, offset, unread()), over(1000, asked));
    await assert.rejects(uploads.finish(open.id), over(1000, 300));
    await uploads.abandon(open.id);
    await uploads.abandon(late.id);
    assert.equal((await registry.packages.get(id))?.total_bytes, 1000);
  });

  it('is filled by as many of those who come at once as fit, and what the others sent is gone', async () => {
    await using store = await openBounded();
    const { registry } = store;
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    const sizes = Array.from({ length: 20 }, (_, index) => 91 + index);
    const outcomes = await Promise.allSettled(sizes.map((size) => add(registry, id, `f${size}`, patterned(size))));
    const total = outcomes.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value.size_bytes : 0), 0);
    assert.ok(total <= 1000 && total > 1000 - 110, `${total}`);
    for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'quota_exceeded');
    assert.equal((await registry.packages.get(id))?.total_bytes, total);
    await assertClean(store, { near: outcomes.filter(({ status }) => status === 'fulfilled').length, far: 0 });
  });

  it('counts each file by its size, though it shares its bytes', async () => {
    await using store = await openBounded();
    const { registry } = store;
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    const first = await add(registry, id, 'a', patterned(400));
    await add(registry, id, 'b', patterned(400));
    const over = exceeded({ producer: 'near', maximum_bytes: 1000, used: 800, asked: 400 });
    await assert.rejects(add(registry, id, 'c', patterned(400)), over);
    await assert.rejects(registry.files.attach(id, [itemOf(first, 'c')]), over);
    await add(registry, await store.create('other'), 'c', patterned(400));
    await assertClean(store, { near: 1, far: 0 });
  });

  it('takes again what is there already, in an open package and in a sealed one', async () => {
    await using store = await openBounded();
    const { registry } = store;
    const id = await store.create('near');
    const there = await add(registry, id, 'a', patterned(400));
    await add(registry, id, 'b', patterned(500));
    store.bound('near', { maximum_bytes: 10 });
    for (const sealed of [false, true]) {
      if (sealed) await registry.packages.finalize(id);
      assert.equal((await registry.files.add(id, file('a', patterned(400)))).created, false);
      assert.equal((await registry.files.add(id, { ...file('a', patterned(400)), size_bytes: 400 })).created, false);
      const again = await registry.files.addMany(id, several(file('b', patterned(500)), file('a', patterned(400))));
      assert.deepEqual(
        again.map(({ created }) => created),
        [false, false],
      );
      assert.equal((await registry.files.attach(id, [itemOf(there, 'a')]))[0]?.result, 'exists');
    }
  });

  it('adds all files of a request or none, whatever of them is there', async () => {
    await using store = await openBounded();
    const { registry } = store;
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    await add(registry, id, 'there', patterned(900));
    const request = (size: number) => several(file('new', patterned(size)), file('there', patterned(900)), file('newer', patterned(50)));
    await assert.rejects(
      registry.files.addMany(id, request(51)),
      exceeded({ producer: 'near', maximum_bytes: 1000, used: 900, asked: 101 }),
    );
    assert.equal((await registry.packages.get(id))?.file_count, 1);
    await registry.files.addMany(id, request(50));
    assert.equal((await registry.packages.get(id))?.total_bytes, 1000);
  });

  it('refuses what would be copied from another backend, before a byte of it is', async () => {
    await using store = await openBounded();
    const { registry } = store;
    const near = await add(registry, await store.create('near'), 'a', patterned(400));
    const id = await store.create('far');
    store.bound('far', { maximum_bytes: 799 });
    const twice = [itemOf(near, 'a'), itemOf(near, 'b')];
    await assert.rejects(registry.files.attach(id, twice), exceeded({ producer: 'far', maximum_bytes: 799, used: 0, asked: 800 }));
    assert.equal((await registry.packages.get(id))?.file_count, 0);
    await assertClean(store, { near: 1, far: 0 });
    store.bound('far', { maximum_bytes: 800 });
    await registry.files.attach(id, twice);
    await assert.rejects(
      registry.files.attach(id, [itemOf(near, 'c')]),
      exceeded({ producer: 'far', maximum_bytes: 800, used: 800, asked: 400 }),
    );
  });

  it('adds nothing of what is there when what would be copied beside it does not fit', async () => {
    await using store = await openBounded();
    const { registry } = store;
    const near = await add(registry, await store.create('near'), 'a', patterned(400));
    const id = await store.create('far');
    const far = await add(registry, id, 'far', patterned(100));
    store.bound('far', { maximum_bytes: 599 });
    await assert.rejects(
      registry.files.attach(id, [itemOf(far, 'again'), itemOf(near, 'copied')]),
      exceeded({ producer: 'far', maximum_bytes: 599, used: 100, asked: 500 }),
    );
    assert.equal((await registry.packages.get(id))?.file_count, 1);
  });

  it('is free again when a package is abandoned, and not twice when that is collected', async () => {
    await using store = await openBounded();
    const { registry } = store;
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    await add(registry, id, 'a', patterned(1000));
    const next = await store.create('near');
    await assert.rejects(add(registry, next, 'a', patterned(1)), { code: 'quota_exceeded' });
    await registry.packages.abandon(id);
    await add(registry, next, 'a', patterned(1000));
    await store.operator.collect();
    await assert.rejects(add(registry, next, 'b', patterned(1)), { code: 'quota_exceeded' });
  });

  it('that is lowered refuses what is new, and harms nothing', async () => {
    await using store = await openBounded();
    const { registry } = store;
    const id = await store.create('near');
    await add(registry, id, 'a', patterned(1000));
    store.bound('near', { maximum_bytes: 500, maximum_packages: 0 });
    await assert.rejects(add(registry, id, 'b', patterned(0)), exceeded({ producer: 'near', maximum_bytes: 500, used: 1000, asked: 0 }));
    await assert.rejects(store.create('near'), exceeded({ producer: 'near', maximum_packages: 0, used: 1, asked: 1 }));
    await registry.packages.finalize(id);
    await registry.retention.hold(id, { reason: 'audit' });
    assert.ok(await registry.files.open({ package_id: id, relative_path: 'a' }));
    store.bound('near', undefined);
    await store.create('near');
  });
});

describe('a quota of packages', () => {
  it('is filled to the last one, which an idempotency key gives again', async () => {
    await using store = await openBounded();
    const { registry } = store;
    store.bound('near', { maximum_packages: 2 });
    const first = await store.create('near', 'one');
    await store.create('near');
    await assert.rejects(store.create('near', 'two'), exceeded({ producer: 'near', maximum_packages: 2, used: 2, asked: 1 }));
    assert.equal(await store.create('near', 'one'), first);
    await store.create('other');
    await registry.packages.finalize((await add(registry, first, 'a', patterned(1))).package_id);
    await assert.rejects(store.create('near'), { code: 'quota_exceeded' });
    await registry.packages.abandon((await registry.packages.list({ producer: 'near', status: 'created' })).items[0]!.id);
    await store.create('near', 'two');
  });

  it('refuses a write session for which there is no package left, before its bytes', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_packages: 1 });
    await store.create('near');
    const objects = [{ name: 'a', sha256: '0'.repeat(64), size_bytes: 1 }];
    const session = { scope: 'quota', producer: 'near', subject: 's', namespace: 'n', retention_class: 'transient', objects };
    const opening = store.registry.writeSessions.open({ ...session, ttl_seconds: 60 }, { idempotencyKey: 'one' });
    await assert.rejects(opening, exceeded({ producer: 'near', maximum_packages: 1, used: 1, asked: 1 }));
  });

  it('is filled by as many of those who come at once as fit', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_packages: 5 });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => store.create('near')));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 5);
    for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'quota_exceeded');
    const { items } = await store.registry.producers.list();
    assert.deepEqual(
      items.map(({ producer, packages }) => [producer, packages]),
      [['near', 5]],
    );
  });
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Principal, Role } from '../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Attachment, File, Registry } from '../../src/registry/REGISTRY.ts';
import { openTwoBackends } from './two-backends.ts';

const store = await openTwoBackends();
after(() => store.close());

const of = (role: Role, ...producers: string[]): Principal => ({
  actor: role,
  share: role,
  grants: [{ role, producers: producers.map((exact) => ({ exact })) }],
});
const all = store.as(of('admin', 'mine', 'far', 'others'));

async function add(registry: Registry, producer: string, ...texts: string[]): Promise<readonly File[]> {
  const { record } = await registry.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' });
  const files: File[] = [];
  for (const text of texts) {
    const body = (async function* () {
      yield Buffer.from(text);
    })();
    files.push((await registry.files.add(record.id, { relative_path: text, body })).record);
  }
  return files;
}

function attachment(file: File, relative_path = 'attached', size_bytes = file.size_bytes): Attachment {
  return { relative_path, content_address: file.content_address, size_bytes };
}

async function attach(registry: Registry, producer: string, ...items: Attachment[]): Promise<readonly string[]> {
  const { record } = await registry.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' });
  return (await registry.files.attach(record.id, items)).map(({ result }) => result);
}

test('bytes that only others have are not there, by either digest and whatever is said of their length', async () => {
  const mine = store.as(of('writer', 'mine'));
  const [other] = await add(all, 'others', 'of others');
  for (const content_address of [other!.content_address, `sha256:${other!.digest_sha256}`]) {
    assert.deepEqual((await mine.files.withDigest(content_address)).items, []);
    assert.equal(await mine.files.stat({ content_address }), undefined);
    assert.equal(await mine.files.open({ content_address }), undefined);
    assert.deepEqual(await attach(mine, 'mine', { ...attachment(other!), content_address }), ['missing']);
    assert.deepEqual(await attach(mine, 'mine', { ...attachment(other!, 'wrong', 1), content_address }), ['missing']);
  }
  const [own] = await add(mine, 'mine', 'of others');
  for (const content_address of [own!.content_address, `sha256:${own!.digest_sha256}`]) {
    const { items } = await mine.files.withDigest(content_address);
    assert.equal(items[0]!.id, own!.id);
    assert.ok(items.every((item) => item.package.producer === 'mine'));
    assert.equal((await mine.files.stat({ content_address }))?.id, own!.id);
    assert.deepEqual(await attach(mine, 'mine', { ...attachment(own!), content_address }), ['created']);
    await assert.rejects(attach(mine, 'mine', { ...attachment(own!, 'wrong', 1), content_address }), (error) =>
      isArtifactstoreError(error, 'invalid_value'),
    );
  }
  // What was found for one is never what another is told.
  assert.equal((await all.files.stat({ content_address: other!.content_address }))?.id, other!.id);
  assert.equal((await store.as(of('reader', 'others')).files.stat({ content_address: other!.content_address }))?.id, other!.id);
  assert.equal((await mine.files.stat({ content_address: other!.content_address }))?.id, own!.id);
});

test('bytes that may be read and are only in another backend are copied, though others have them here', async () => {
  const [far] = await add(all, 'far', 'in both');
  const both = store.as({ ...of('writer', 'mine', 'far') });
  await add(all, 'others', 'in both');
  assert.deepEqual(await attach(both, 'mine', attachment(far!)), ['created']);
});

test('a file whose bytes were released claims nothing, though others have them', async () => {
  const mine = store.as(of('writer', 'mine'));
  const [own] = await add(mine, 'mine', 'released');
  await add(all, 'others', 'released');
  await mine.packages.abandon(own!.package_id);
  await store.operator.collect();
  assert.deepEqual(await attach(mine, 'mine', attachment(own!)), ['missing']);
  await assert.rejects(mine.files.open({ content_address: own!.content_address }), (error) =>
    isArtifactstoreError(error, 'package_collected'),
  );
  assert.deepEqual(
    (await mine.files.withDigest(own!.content_address)).items.map(({ id }) => id),
    [own!.id],
  );
});

test('a file whose bytes were released stands before none whose bytes are live', async () => {
  const mine = store.as(of('writer', 'mine'));
  const [released] = await add(mine, 'mine', 'released in one');
  const [live] = await add(mine, 'mine', 'released in one');
  await mine.packages.abandon(released!.package_id);
  await store.operator.collect();
  const { content_address } = live!;
  assert.equal((await mine.files.stat({ content_address }))?.id, live!.id);
  assert.equal((await mine.files.open({ content_address }))?.file.id, live!.id);
  assert.deepEqual(await attach(mine, 'mine', attachment(live!)), ['created']);
});

test('bytes that were released since they were looked up are missing, though others have them', async () => {
  const [own] = await add(all, 'mine', 'released in between');
  await add(all, 'others', 'released in between');
  const releasing = store.over({
    database: {
      ...store.database,
      async write(name, input) {
        if (name === 'file.attach') {
          await all.packages.abandon(own!.package_id);
          await store.operator.collect();
        }
        return await store.database.write(name, input);
      },
    },
  });
  assert.deepEqual(await attach(releasing.as(of('writer', 'mine')), 'mine', attachment(own!)), ['missing']);
});

test('a file below thousands of others is found, in reads that each look at some of them', async () => {
  const [first] = await add(all, 'others', 'popular');
  const { record } = await all.packages.create({ name: 'n', producer: 'others', subject: 's', retention_class: 'transient' });
  for (let start = 0; start < 4_500; start += 1_000)
    await all.files.attach(
      record.id,
      Array.from({ length: 1_000 }, (_, index) => attachment(first!, `${start + index}`)),
    );
  let reads = 0;
  const counting = store.over({
    database: {
      ...store.database,
      read: (name, input) => {
        if (name.startsWith('file.')) reads++;
        return store.database.read(name, input);
      },
    },
  });
  const mine = counting.as(of('writer', 'mine'));
  assert.deepEqual((await mine.files.withDigest(first!.content_address)).items, []);
  assert.deepEqual(await attach(mine, 'mine', attachment(first!)), ['missing']);
  const [own] = await add(mine, 'mine', 'popular');
  reads = 0;
  const { items, next_cursor } = await mine.files.withDigest(first!.content_address);
  assert.deepEqual([items.map(({ id }) => id), next_cursor], [[own!.id], null]);
  assert.equal(reads, 4);
  assert.equal((await mine.files.stat({ content_address: first!.content_address }))?.id, own!.id);
  assert.deepEqual(await attach(mine, 'mine', attachment(own!)), ['created']);
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Grant, Principal, ProducerPattern, Role } from '../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openTestRegistry } from './open-registry.ts';

const store = await openTestRegistry();
after(() => store.close());

const grant = (role: Role, ...producers: ProducerPattern[]): Grant => ({ role, producers });
const principal = (...grants: Grant[]): Principal => ({ actor: 'who', share: 'who', grants });
const input = (producer: string) => ({ name: 'n', producer, subject: 's', retention_class: 'transient' });
const rejected = (code: string, right?: string) => (error: unknown) =>
  isArtifactstoreError(error) && error.code === code && (right === undefined || error.info?.right === right);

async function* bytes(text: string) {
  yield new TextEncoder().encode(text);
}

test('what it may not read does not exist, and what it may not change is named', async () => {
  const all = store.as('admin');
  const { record } = await all.packages.create(input('acme'));
  const { record: file } = await all.files.add(record.id, { relative_path: 'a', body: bytes('a') });
  const stranger = store.as(principal(grant('admin', { exact: 'other' })));
  assert.equal(await stranger.packages.get(record.id), undefined);
  assert.equal(await stranger.files.get(file.id), undefined);
  assert.equal(await stranger.files.find(record.id, 'a'), undefined);
  assert.equal(await stranger.files.stat({ file_id: file.id }), undefined);
  assert.equal(await stranger.files.open({ package_id: record.id, relative_path: 'a' }), undefined);
  assert.deepEqual((await stranger.packages.list()).items, []);
  for (const act of [
    () => stranger.packages.abandon(record.id),
    () => stranger.packages.finalize(record.id),
    () => stranger.packages.manifest(record.id),
    () => stranger.files.list(record.id),
    () => stranger.files.add(record.id, { relative_path: 'b', body: bytes('b') }),
    () => stranger.retention.show(record.id),
    () => stranger.retention.hold(record.id, { reason: 'r' }),
  ])
    await assert.rejects(act(), rejected('package_not_found'));

  const reader = store.as(principal(grant('reader', { glob: 'ac*' })));
  assert.equal((await reader.packages.get(record.id))?.id, record.id);
  assert.equal((await reader.packages.list()).items.length, 1);
  for (const act of [
    () => reader.packages.create(input('acme')),
    () => reader.packages.abandon(record.id),
    () => reader.packages.finalize(record.id),
    () => reader.files.add(record.id, { relative_path: 'b', body: bytes('b') }),
  ])
    await assert.rejects(act(), rejected('forbidden', 'write'));
  await assert.rejects(reader.retention.hold(record.id, { reason: 'r' }), rejected('forbidden', 'keep'));
  await assert.rejects(reader.usage(), rejected('forbidden', 'observe'));
});

test('a writer writes, a keeper keeps, and neither does the other', async () => {
  const writer = store.as(principal(grant('writer', { exact: 'w' })));
  const keeper = store.as(principal(grant('keeper', { exact: 'w' })));
  const { record } = await writer.packages.create(input('w'));
  await writer.files.add(record.id, { relative_path: 'a', body: bytes('a') });
  await writer.packages.finalize(record.id);
  await assert.rejects(writer.retention.hold(record.id, { reason: 'r' }), rejected('forbidden', 'keep'));
  const hold = await keeper.retention.hold(record.id, { reason: 'r' });
  await keeper.retention.release(record.id, hold.id);
  await assert.rejects(keeper.packages.create(input('w')), rejected('forbidden', 'write'));
  await assert.rejects(writer.packages.create(input('v')), rejected('forbidden', 'write'));
});

test("metadata schemas are a writer's by their producer and a dot, and an administrator's all", async () => {
  const json_schema = { type: 'object' };
  const writer = store.as(principal(grant('writer', { exact: 'acme.app' }, { glob: 'lab-*' })));
  for (const slug of ['acme.app.v1', 'lab-1.run'])
    assert.equal((await writer.metadataSchemas.register({ slug, json_schema })).created, true);
  for (const slug of ['acme', 'acme.app', 'acme.application.v1', 'lab-1'])
    await assert.rejects(writer.metadataSchemas.register({ slug, json_schema }), rejected('forbidden', 'administer'));
  assert.equal((await store.as('admin').metadataSchemas.register({ slug: 'any', json_schema })).created, true);
});

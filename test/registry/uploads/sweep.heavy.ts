import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { writerMilliseconds } from '../../../src/registry/operations/uploads/rows.ts';
import { ageUpload } from '../age.ts';
import { localRoot, openTestRegistry, type TestRegistry } from '../open-registry.ts';
import { openTwoBackends } from '../two-backends.ts';
import { openBucket } from './open-machines.ts';

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Clean-up continues behind the answer. */
async function becomes(look: () => Promise<readonly string[]>, expected: readonly string[]): Promise<void> {
  for (let waited = 0; waited < 30_000 && (await look()).length !== expected.length; waited += 20) await pause(20);
  assert.deepEqual(await look(), expected);
}

const draftsOf = (store: TestRegistry) => readdir(join(localRoot(store.config), 'drafts'));

const age = (store: TestRegistry, id: string, seconds: number) => ageUpload(store.config, id, seconds);

test('what has expired takes nothing more, says so, leaves nothing, and is forgotten', async () => {
  await using store = await openTestRegistry();
  const { uploads } = store.as('tester');
  const upload = await uploads!.begin({});
  await uploads!.append(upload.id, 0, chunks('abc'));
  assert.deepEqual(await draftsOf(store), [`upload-${upload.id}-1`]);
  await age(store, upload.id, 86_000);
  assert.equal((await store.operator.collect()).reclaimed_drafts, 0);
  assert.equal((await uploads!.status(upload.id))!.offset_bytes, 3);
  await age(store, upload.id, 86_401);
  assert.equal(await uploads!.status(upload.id), undefined);
  // To be ended by hand it is there until a collection has ended it.
  assert.deepEqual([(await uploads!.list()).items, (await store.operator.listUploads()).items.length], [[], 1]);
  const expired = (error: unknown) => isArtifactstoreError(error, 'upload_not_found') && error.info?.state === 'expired';
  await assert.rejects(uploads!.append(upload.id, 3, chunks('d')), expired);
  await assert.rejects(uploads!.finish(upload.id), expired);
  const { expire_uploads, reclaim_drafts } = await store.operator.planCollection();
  assert.deepEqual([expire_uploads, reclaim_drafts], [1, 1]);
  assert.equal((await store.operator.collect()).reclaimed_drafts, 1);
  assert.equal((await store.operator.planCollection()).expire_uploads, 0);
  assert.deepEqual(await draftsOf(store), []);
  await assert.rejects(uploads!.append(upload.id, 3, chunks('d')), expired);
  await age(store, upload.id, 86_401);
  await store.operator.collect();
  await assert.rejects(uploads!.append(upload.id, 3, chunks('d')), (error) => {
    return isArtifactstoreError(error, 'upload_not_found') && error.info === undefined;
  });
});

test('each byte gives it as long again, and who is at work is not interrupted', async () => {
  await using store = await openTestRegistry();
  const { uploads } = store.as('tester');
  const upload = await uploads!.begin({});
  await age(store, upload.id, 80_000);
  const { expires_at } = await uploads!.append(upload.id, 0, chunks('a'));
  assert.ok(Date.parse(expires_at) > Date.now() + 80_000_000);
  const collected = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const slow = async function* () {
    yield Buffer.from('b');
    reached.resolve();
    await collected.promise;
    yield Buffer.from('c');
  };
  const appended = uploads!.append(upload.id, 1, slow());
  await reached.promise;
  await age(store, upload.id, 90_000);
  await store.operator.collect();
  collected.resolve();
  assert.equal((await appended).offset_bytes, 3);
});

test('a writer that was killed keeps its upload for some seconds more, and no longer', async () => {
  await using store = await openTwoBackends();
  const registry = store.as(administrator('tester'));
  const openUploads = async () => (await registry.usage()).backends.reduce((sum, { open_uploads }) => sum + open_uploads, 0);
  const { id } = await registry.uploads!.begin({});
  await registry.uploads!.append(id, 0, chunks('abc'));
  const taking = { id, owner: null, offset: 3, size_bytes: null, body_bytes: null, policy: 'takeover' } as const;
  await store.database.write('upload.take', { ...taking, holder: 'a process that is gone' });
  await ageUpload({ database: { kind: 'sqlite', path: join(store.directory, 'artifactstore.db') } }, id, 90_000);
  await store.operator.collect();
  assert.equal(await openUploads(), 1);
  await pause(writerMilliseconds);
  assert.equal((await store.operator.collect()).reclaimed_drafts, 1);
  assert.equal(await openUploads(), 0);
});

test('an upload lives as long as it was told, also after uploads were given less time', async () => {
  await using store = await openTestRegistry();
  const { id } = await store.as('tester').uploads!.begin({});
  await store.as('tester').uploads!.append(id, 0, chunks('abc'));
  await age(store, id, 3_600);
  await using later = await store.reopen({ ARTIFACTSTORE_UPLOAD_TTL_SECONDS: '60' });
  await later.operator.collect({ draftAgeSeconds: -1 });
  assert.equal((await later.as('tester').uploads!.status(id))!.offset_bytes, 3);
});

test('a collection keeps the segments of open uploads however old they are, and takes those of no upload', async () => {
  await using store = await openTestRegistry();
  const { uploads } = store.as('tester');
  const open = await uploads!.begin({});
  await uploads!.append(open.id, 0, chunks('kept'));
  const left = `upload-${crypto.randomUUID()}-7`;
  const directory = join(localRoot(store.config), 'drafts');
  for (const name of [left, 'upload-of-somebody-else']) await writeFile(join(directory, name), 'left');
  assert.equal((await store.operator.collect()).reclaimed_drafts, 0, 'young ones may be those of an upload that begins');
  for (const name of await readdir(directory)) await utimes(join(directory, name), 0, 0);
  assert.equal((await store.operator.planCollection()).reclaim_drafts, 1);
  assert.equal((await store.operator.collect()).reclaimed_drafts, 1);
  assert.deepEqual((await readdir(directory)).sort(), [`upload-${open.id}-1`, 'upload-of-somebody-else']);
  const { record } = await store.as('tester').packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const made = await uploads!.finish(open.id, { package_id: record.id, relative_path: 'a' });
  assert.equal(made.record.digest_sha256, createHash('sha256').update('kept').digest('hex'));
  await becomes(() => readdir(directory), ['upload-of-somebody-else']);
});

test('in a bucket, an upload has few objects however short its bodies are, and leaves none', async () => {
  const { store: bucket, environment } = await openBucket();
  await using store = await openTestRegistry(environment);
  const { uploads } = store.as('tester');
  const inBucket = () => bucket.objects('artifacts').filter((key) => key.startsWith('uploads/'));
  const [given, kept] = [await uploads!.begin({}), await uploads!.begin({})];
  for (const { id } of [given, kept])
    for (const [offset, text] of ['a', 'b', 'c'].entries()) await uploads!.append(id, offset, chunks(text));
  for (let waited = 0; waited < 30_000 && inBucket().length > 2; waited += 20) await pause(20);
  assert.equal(inBucket().length, 2);
  await uploads!.abandon(given.id);
  assert.equal(inBucket().length, 1);
  bucket.place('artifacts', `uploads/${crypto.randomUUID()}/1-0-${'0'.repeat(64)}`, 'left');
  bucket.place('artifacts', 'uploads/of-somebody-else', 'left');
  const [stored] = (await store.operator.collect({ draftAgeSeconds: -1 })).backends;
  assert.deepEqual([stored!.stored_objects, stored!.stored_bytes], [0, 0]);
  assert.equal(inBucket().length, 2);
  bucket.place('artifacts', inBucket().find((key) => key.includes(kept.id))!, 'xyz');
  const { record } = await store.as('tester').packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  await assert.rejects(uploads!.finish(kept.id, { package_id: record.id, relative_path: 'a' }), { code: 'storage_unavailable' });
  assert.equal(await store.as('tester').files.find(record.id, 'a'), undefined);
  await bucket.close();
});

test('operators see the uploads of everybody, and end them', async () => {
  await using store = await openTestRegistry();
  const begun = await Promise.all(['one', 'two', 'three'].map((actor) => store.as(actor).uploads!.begin({})));
  const first = await store.operator.listUploads({ limit: 2 });
  const second = await store.operator.listUploads({ limit: 2, cursor: first.next_cursor! });
  const ids = begun.map(({ id }) => id).sort();
  assert.deepEqual(
    [...first.items, ...second.items].map(({ id }) => id),
    ids,
  );
  assert.equal(second.next_cursor, null);
  await store.operator.abandonUpload(ids[0]!);
  assert.deepEqual(
    (await store.operator.listUploads()).items.map(({ id }) => id),
    ids.slice(1),
  );
  await assert.rejects(store.operator.abandonUpload(crypto.randomUUID()), { code: 'upload_not_found' });
});

test('one actor has a bounded number of open uploads and of their bytes', async () => {
  await using store = await openTestRegistry();
  const { uploads } = store.as('tester');
  const tooMany = (bound: string) => (error: unknown) => isArtifactstoreError(error, 'too_many_uploads') && error.info?.bound === bound;
  const large = await uploads!.begin({ size_bytes: 5_497_558_138_880 });
  await assert.rejects(uploads!.begin({ size_bytes: 1 }), tooMany('open_upload_bytes'));
  const unsized = await uploads!.begin({});
  await assert.rejects(uploads!.append(unsized.id, 0, chunks('x'), { size_bytes: 1 }), tooMany('open_upload_bytes'));
  await uploads!.abandon(large.id);
  assert.equal((await uploads!.append(unsized.id, 0, chunks('x'))).offset_bytes, 1);
  await Promise.all(Array.from({ length: 999 }, () => uploads!.begin({})));
  await assert.rejects(uploads!.begin({}), tooMany('open_uploads'));
  await store.as('another').uploads!.begin({});
});

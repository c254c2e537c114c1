import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { chunks, collect, refuses } from '../../../src/registry/conformance/samples.ts';
import type { NewWriteSession, WriteHandle, WriteSession } from '../../../src/registry/REGISTRY.ts';
import type { StrictStore } from '../../s3-stand-in/strict-store.ts';
import { ageSession } from '../age.ts';
import { openTestRegistry, type TestRegistry } from '../open-registry.ts';
import { openPresignedBucket, sendTo } from './presigned-bucket.ts';

describe('objects of write sessions that go to the store itself', () => {
  let bucket: StrictStore;
  let store: TestRegistry;
  let end: () => Promise<void>;
  before(async () => {
    const opened = await openPresignedBucket();
    ({ store: bucket } = opened);
    store = await openTestRegistry(opened.environment);
    end = async () => {
      await store.close();
      await opened.close();
    };
  });
  after(() => end());

  const registry = () => store.as('tester');
  const sessions = () => registry().writeSessions;
  const keys = () => bucket.objects('artifacts');
  const uploads = () => keys().filter((key) => key.startsWith('uploads/'));

  async function open(files: Readonly<Record<string, string>>, more: Partial<NewWriteSession> = {}): Promise<WriteSession> {
    const objects = Object.entries(files).map(([name, text]) => ({ name, sha256: hex(text), size_bytes: Buffer.byteLength(text) }));
    const fixed = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 3600 };
    return (await sessions().open({ ...fixed, objects, ...more }, { idempotencyKey: crypto.randomUUID() })).record;
  }
  const handleOf = async (id: string, name: string) =>
    (await sessions().status(id))?.objects.find((each) => each.name === name)?.handle ?? assert.fail(`no handle for ${name}`);
  const stateOf = async (id: string, name: string) => (await sessions().status(id))?.objects.find((each) => each.name === name)?.state;
  async function send(handle: WriteHandle, text: string): Promise<number> {
    const answer = await sendTo(handle, text);
    await answer.body?.cancel();
    return answer.status;
  }
  const textOf = async (package_id: string, relative_path: string) =>
    (await collect((await registry().files.open({ package_id, relative_path }))!.body)).toString();
  const gone = async (key: string) => {
    for (let waited = 0; waited < 30_000 && keys().includes(key); waited += 10) await pause(10);
    return !keys().includes(key);
  };
  const keyOf = ({ url }: WriteHandle) => decodeURIComponent(new URL(url).pathname).replace('/artifacts/', '');

  it('have an address that binds length, SHA-256 and key, and ends soon', async () => {
    const session = await open({ 'a/b': 'bytes of a', other: 'bytes of a' });
    const [first, second] = session.objects.map(({ handle }) => handle!);
    assert.deepEqual(
      [first!.method, first!.headers],
      [
        'PUT',
        {
          'content-length': '10',
          'content-type': 'application/octet-stream',
          'x-amz-content-sha256': hex('bytes of a'),
          'if-none-match': '*',
        },
      ],
    );
    assert.match(keyOf(first!), new RegExp(`^uploads/${session.id}/0-[0-9]+-${hex('bytes of a')}$`));
    assert.notEqual(keyOf(first!), keyOf(second!));
    const seconds = (Date.parse(first!.expires_at) - Date.now()) / 1000;
    assert.ok(seconds > 800 && seconds <= 900, `${seconds} s`);
    const { searchParams } = new URL(first!.url);
    assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'content-length;content-type;host;if-none-match;x-amz-content-sha256');
    for (const text of ['bytes of b', 'bytes', 'bytes of a, and more']) assert.ok((await send(first!, text)) >= 400, text);
    const { 'x-amz-content-sha256': _, ...unbound } = first!.headers;
    assert.ok((await send({ ...first!, headers: unbound }, 'bytes of b')) >= 400);
    assert.ok((await send({ ...first!, url: first!.url.replace(hex('bytes of a'), hex('bytes of b')) }, 'bytes of a')) >= 400);
    assert.deepEqual(uploads(), []);
  });

  it('show only with the commit, from a key that no handle is for', async () => {
    const { id, objects } = await open({ one: 'bytes of one', two: 'bytes of two' });
    for (const { name, handle } of objects) assert.equal(await send(handle!, `bytes of ${name}`), 200);
    const handle = objects[0]!.handle!;
    // A second time it is there.
    assert.equal(await send(handle, 'bytes of one'), 412);
    assert.equal((await registry().files.withDigest(`sha256:${hex('bytes of one')}`)).items.length, 0);
    assert.deepEqual([await stateOf(id, 'one'), await stateOf(id, 'two')], ['received', 'received']);
    assert.equal((await registry().files.withDigest(`sha256:${hex('bytes of one')}`)).items.length, 0);
    const { package_id } = await sessions().commit(id);
    assert.equal(await textOf(package_id, 'one'), 'bytes of one');
    assert.equal(await textOf(package_id, 'two'), 'bytes of two');
    for (const each of objects) assert.ok(await gone(keyOf(each.handle!)));
    assert.ok(keys().every((key) => !key.startsWith(`uploads/${id}/`)));
  });

  it('that come late change nothing, and are collected', async () => {
    const { id, objects } = await open({ late: 'bytes that are late' });
    const { handle } = objects[0]!;
    await sessions().put(id, 'late', chunks('bytes that are late'));
    const { package_id } = await sessions().commit(id);
    const aborted = await open({ later: 'bytes that are later' });
    await sessions().abort(aborted.id);
    assert.equal(await send(handle!, 'bytes that are late'), 200);
    assert.equal(await send(aborted.objects[0]!.handle!, 'bytes that are later'), 200);
    const waiting = await open({ early: 'bytes that are early' });
    assert.equal(await send(waiting.objects[0]!.handle!, 'bytes that are early'), 200);
    await store.operator.collect();
    assert.equal(uploads().length, 3, 'what is new stays');
    await store.operator.collect({ draftAgeSeconds: 0 });
    assert.deepEqual(uploads(), [keyOf(waiting.objects[0]!.handle!)]);
    assert.equal(await textOf(package_id, 'late'), 'bytes that are late');
    const committed = await sessions().commit(waiting.id);
    assert.equal(await textOf(committed.package_id, 'early'), 'bytes that are early');
  });

  it('that are others are named by the commit, and have another key then', async () => {
    const { id, objects } = await open({ good: 'good bytes', wrong: 'right bytes', short: 'whole bytes' });
    const [good, short, wrong] = objects.map(({ handle }) => handle!);
    assert.equal(await send(good!, 'good bytes'), 200);
    bucket.place('artifacts', keyOf(wrong!), 'wrong bytes');
    bucket.place('artifacts', keyOf(short!), 'whole');
    await assert.rejects(sessions().commit(id), (error) => {
      assert.ok(isArtifactstoreError(error, 'write_session_incomplete'), String(error));
      assert.deepEqual(error.info?.objects, [
        { name: 'short', problem: 'damaged' },
        { name: 'wrong', problem: 'damaged' },
      ]);
      return true;
    });
    assert.deepEqual([await stateOf(id, 'good'), await stateOf(id, 'wrong')], ['received', 'put']);
    assert.equal((await registry().files.withDigest(`sha256:${hex('wrong bytes')}`)).items.length, 0);
    const again = await handleOf(id, 'wrong');
    assert.notEqual(keyOf(again), keyOf(wrong!));
    // What the earlier handle writes now is nobody's.
    bucket.place('artifacts', keyOf(wrong!), 'wrong again');
    assert.equal(await stateOf(id, 'wrong'), 'put');
    assert.equal(await send(again, 'right bytes'), 200);
    assert.equal(await send(await handleOf(id, 'short'), 'whole bytes'), 200);
    const { package_id } = await sessions().commit(id);
    for (const [name, text] of Object.entries({ good: 'good bytes', wrong: 'right bytes', short: 'whole bytes' }))
      assert.equal(await textOf(package_id, name), text);
    assert.ok(await gone(keyOf(wrong!)));
  });

  it('are committed once by many, and overwritten between two of them', async () => {
    const { id, objects } = await open({ many: 'bytes of many' });
    assert.equal(await send(objects[0]!.handle!, 'bytes of many'), 200);
    const committed = await Promise.all(Array.from({ length: 4 }, () => sessions().commit(id)));
    assert.equal(new Set(committed.map(({ package_id }) => package_id)).size, 1);
    bucket.place('artifacts', keyOf(objects[0]!.handle!), 'other bytes!!');
    assert.equal(await textOf(committed[0]!.package_id, 'many'), 'bytes of many');
  });

  it('are copied from where they were hashed when they are long, and read again where they were replaced since', async () => {
    const [one, two] = ['1', '2'].map((digit) => digit.repeat(2_000_000));
    const { id, objects } = await open({ one: one!, two: two! });
    for (const { name, handle } of objects) assert.equal(await send(handle!, name === 'one' ? one! : two!), 200);
    const before = bucket.requests.CopyObject ?? 0;
    const { package_id } = await sessions().commit(id);
    assert.equal((bucket.requests.CopyObject ?? 0) - before, 2);
    assert.equal(await textOf(package_id, 'one'), one);
    assert.equal(await textOf(package_id, 'two'), two);

    const replaced = await open({ three: '3'.repeat(2_000_000) });
    const { handle } = replaced.objects[0]!;
    assert.equal(await send(handle!, '3'.repeat(2_000_000)), 200);
    // Between the reading and the copy: the first copy is late, and finds other bytes.
    const written = Promise.withResolvers<void>();
    bucket.setFaults({ onlyOperations: ['CopyObject'], holdUntil: written.promise });
    const committing = sessions().commit(replaced.id);
    while ((bucket.requests.CopyObject ?? 0) - before < 3) await pause(5);
    bucket.place('artifacts', keyOf(handle!), '4'.repeat(2_000_000));
    written.resolve();
    // Nothing that is stored is damaged.
    await refuses('storage_unavailable', committing);
    bucket.setFaults(undefined);
    assert.equal((await registry().files.withDigest(`sha256:${hex('4'.repeat(2_000_000))}`)).items.length, 0);
    await assert.rejects(sessions().commit(replaced.id), (error) => isArtifactstoreError(error, 'write_session_incomplete'));
    assert.equal(await send(await handleOf(replaced.id, 'three'), '3'.repeat(2_000_000)), 200);
    const made = await sessions().commit(replaced.id);
    assert.equal(await textOf(made.package_id, 'three'), '3'.repeat(2_000_000));
  });

  it('go when their session is aborted or expires', async () => {
    const [aborted, expired] = [await open({ x: 'bytes of x' }), await open({ y: 'bytes of y' })];
    assert.equal(await send(aborted.objects[0]!.handle!, 'bytes of x'), 200);
    assert.equal(await send(expired.objects[0]!.handle!, 'bytes of y'), 200);
    await sessions().abort(aborted.id);
    assert.ok(await gone(keyOf(aborted.objects[0]!.handle!)));
    await ageSession(store.config, expired.id, 1);
    await store.operator.sweep();
    assert.ok(await gone(keyOf(expired.objects[0]!.handle!)));
    assert.equal((await sessions().status(expired.id))?.state, 'expired');
  });

  it('end an upload of the same object, and are ended by the bytes that came to the server', async () => {
    const { id, objects } = await open({ twice: 'bytes twice' });
    const { record } = await sessions().beginUpload(id, 'twice');
    assert.equal(await send(objects[0]!.handle!, 'bytes twice'), 200);
    assert.equal(await stateOf(id, 'twice'), 'received');
    await refuses('upload_not_found', registry().uploads!.append(record.id, 0, chunks('bytes')));
    await sessions().put(id, 'twice', chunks('bytes twice'));
    const { package_id } = await sessions().commit(id);
    assert.equal(await textOf(package_id, 'twice'), 'bytes twice');
  });

  it('have no handle beyond the end of the session, or where nothing is to be sent', async () => {
    const { id, objects } = await open({ brief: 'bytes, briefly' }, { ttl_seconds: 60 });
    assert.ok(Date.parse(objects[0]!.handle!.expires_at) <= Date.now() + 60_000);
    await sessions().put(id, 'brief', chunks('bytes, briefly'));
    assert.equal((await sessions().status(id))?.objects[0]?.handle, undefined);
    const huge = { name: 'huge', sha256: hex('huge'), size_bytes: 5_368_709_121 };
    assert.equal((await open({}, { objects: [huge] })).objects[0]!.handle, undefined);
  });

  it('are unknown, and not missing, where the store can not be asked', async () => {
    const { id, objects } = await open({ z: 'bytes of z' });
    assert.equal(await send(objects[0]!.handle!, 'bytes of z'), 200);
    bucket.revoke(bucket.accessKeyId);
    await refuses('storage_unavailable', sessions().status(id));
    await refuses('storage_unavailable', sessions().commit(id));
    bucket.admit(bucket);
    const { package_id } = await sessions().commit(id);
    assert.equal(await textOf(package_id, 'z'), 'bytes of z');
  });
});

function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

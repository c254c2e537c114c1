import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { ArtifactstoreError, type ErrorCode } from '../../../src/kernel/error.ts';
import { chunks, collect, patterned, refuses } from '../../../src/registry/conformance/samples.ts';
import type { Registry, Uploads } from '../../../src/registry/REGISTRY.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';

describe('an object of a write session that comes in pieces', () => {
  let store: TwoBackends;
  let registry: Registry;
  let uploads: Uploads;
  /** So many of the next steps that make an object received fail. */
  let failing = 0;
  /** Done once before a write of that name, after so many others of it. */
  let meanwhile: { readonly name: string; after: number; readonly work: () => Promise<unknown> } | undefined;
  /** Of the session that was opened last. */
  let bytes: Uint8Array = new Uint8Array();
  before(async () => {
    store = await openTwoBackends();
    const { database } = store;
    const broken: TwoBackends['database'] = {
      ...database,
      async write(name, input) {
        if (name === meanwhile?.name && meanwhile.after-- === 0) {
          const { work } = meanwhile;
          meanwhile = undefined;
          await work();
        }
        if (name === 'session.receive_upload' && failing-- > 0)
          throw new ArtifactstoreError('database_unavailable', 'The database is unavailable.');
        return await database.write(name, input);
      },
    };
    const over = store.over({ database: broken });
    registry = over.as(administrator('tester'));
    uploads = registry.uploads!;
  });
  after(() => store.close());

  const sessions = () => registry.writeSessions;
  async function open(): Promise<string> {
    bytes = patterned(300_000);
    bytes.set(randomBytes(16));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const objects = [{ name: 'a/b', sha256, size_bytes: bytes.length }];
    const request = {
      scope: 's',
      producer: randomUUID(),
      subject: 'u',
      namespace: 'n',
      retention_class: 'transient',
      ttl_seconds: 60,
      objects,
    };
    return (await sessions().open(request, { idempotencyKey: randomUUID() })).record.id;
  }
  const begin = async (id: string) => (await sessions().beginUpload(id, 'a/b')).record;
  const send = (id: string, from: number, to: number, of = bytes) => uploads.append(id, from, chunks(of.subarray(from, to)));
  const stateOf = async (id: string) => (await sessions().status(id))?.objects[0];
  async function commits(id: string): Promise<void> {
    const { package_id } = await sessions().commit(id);
    const read = await registry.files.open({ package_id, relative_path: 'a/b' });
    assert.equal(Buffer.compare(await collect(read!.body), bytes), 0);
  }
  async function leavesNothing(): Promise<void> {
    await store.settle();
    for (let waited = 0; waited < 30_000; waited += 20) {
      if ((await drafts()).length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await drafts(), []);
  }
  const drafts = () => readdir(join(store.rootOf('near'), 'drafts'));

  it('continues after a break, and is received with its last byte', async () => {
    const id = await open();
    const { id: upload, offset_bytes, size_bytes } = await begin(id);
    assert.deepEqual([offset_bytes, size_bytes], [0, bytes.length]);
    await send(upload, 0, 100_000);
    const breaks = async function* () {
      yield bytes.slice(100_000, 180_000);
      throw new Error('the connection broke');
    };
    await assert.rejects(uploads.append(upload, 100_000, breaks()), /the connection broke/);
    assert.deepEqual([(await stateOf(id))?.state, (await stateOf(id))?.upload_id], ['put', upload]);
    const again = await sessions().beginUpload(id, 'a/b');
    assert.deepEqual([again.created, again.record.id, again.record.offset_bytes], [false, upload, 180_000]);
    await refuses('write_session_incomplete', sessions().commit(id));
    assert.deepEqual((await send(upload, 180_000, 300_000)).state, 'finished');
    assert.deepEqual([(await stateOf(id))?.state, (await stateOf(id))?.upload_id], ['received', undefined]);
    await refuses('write_session_object_received', begin(id));
    await refuses('upload_finished', send(upload, 300_000, 300_000));
    await commits(id);
    await leavesNothing();
  });

  it('is received by the next look where the step after its last byte failed', async () => {
    const id = await open();
    const { id: upload } = await begin(id);
    failing = 1;
    await refuses('database_unavailable', send(upload, 0, 300_000));
    assert.equal((await stateOf(id))?.state, 'put');
    assert.equal((await begin(id)).state, 'finished');
    assert.equal((await stateOf(id))?.state, 'received');
    await commits(id);
    await leavesNothing();
  });

  it('is refused with other bytes than were announced, and leaves nothing of them', async () => {
    const id = await open();
    const { id: upload } = await begin(id);
    await send(upload, 0, 100_000);
    await refuses('digest_mismatch', send(upload, 100_000, 300_000, Buffer.alloc(300_000)));
    await refuses('upload_not_found', send(upload, 100_000, 300_000));
    await leavesNothing();
    await refuses('upload_length_mismatch', uploads.append((await begin(id)).id, 0, chunks(Buffer.alloc(300_001))));
    const { id: next } = await begin(id);
    const { offset_bytes } = (await uploads.status(next))!;
    await send(next, offset_bytes, 300_000).catch(() => undefined);
    if ((await stateOf(id))?.state !== 'received') await send((await begin(id)).id, 0, 300_000);
    await commits(id);
  });

  it('ends with its session, and when the object comes otherwise', async () => {
    const [aborted, whole] = [await open(), await open()];
    const { id: upload } = await begin(aborted);
    await send(upload, 0, 100_000);
    await sessions().abort(aborted);
    await refuses('write_session_aborted', send(upload, 100_000, 300_000));
    const elsewhere = store.as({ actor: 'tester', share: 't', grants: [{ role: 'writer', producers: [{ exact: 'another' }] }] });
    await refuses('upload_not_found', elsewhere.uploads!.append(upload, 100_000, chunks(bytes)));
    await refuses('write_session_aborted', begin(aborted));
    const { id: other } = await begin(whole);
    await send(other, 0, 100_000);
    await sessions().put(whole, 'a/b', chunks(bytes));
    await refuses('upload_not_found', send(other, 100_000, 300_000));
    await commits(whole);
    await refuses('upload_not_found', send(other, 100_000, 300_000));
    await leavesNothing();
  });

  it('is told what ended it between its last byte and the step that makes it received', async () => {
    const ends: readonly [code: ErrorCode, end: (session: string, upload: string) => Promise<unknown>][] = [
      ['upload_not_found', (_, upload) => uploads.abandon(upload)],
      ['upload_not_found', (session) => sessions().put(session, 'a/b', chunks(bytes))],
      ['write_session_aborted', (session) => sessions().abort(session)],
      ['upload_superseded', (_, upload) => store.database.write('upload.fence', { id: upload })],
    ];
    const steps = [
      // Its bytes are written down, and it is not taken yet to be received.
      { name: 'upload.take', after: 1, which: ends.slice(0, 3) },
      { name: 'session.receive_upload', after: 0, which: ends },
    ];
    for (const { name, after: skipped, which } of steps)
      for (const [code, end] of which) {
        const id = await open();
        const { id: upload } = await begin(id);
        meanwhile = { name, after: skipped, work: () => end(id, upload) };
        await refuses(code, send(upload, 0, 300_000));
        assert.equal(meanwhile, undefined);
        if (code === 'write_session_aborted') await refuses(code, sessions().commit(id));
        else {
          if ((await stateOf(id))?.state === 'put') {
            const again = await begin(id);
            assert.equal(again.state, code === 'upload_superseded' ? 'finished' : 'open');
            if (again.state === 'open') await send(again.id, 0, 300_000);
          }
          await commits(id);
        }
        await leavesNothing();
      }
  });

  it('is told of the end of its session also by who looks for it again', async () => {
    const id = await open();
    const { id: upload } = await begin(id);
    failing = 1;
    await refuses('database_unavailable', send(upload, 0, 300_000));
    meanwhile = { name: 'upload.take', after: 0, work: () => sessions().abort(id) };
    await refuses('write_session_aborted', begin(id));
    await leavesNothing();
  });

  it('is received for both where another request made it so meanwhile', async () => {
    const id = await open();
    const { id: upload } = await begin(id);
    const elsewhere = store.as(administrator('tester')).writeSessions;
    meanwhile = { name: 'session.receive_upload', after: 0, work: () => elsewhere.beginUpload(id, 'a/b') };
    assert.equal((await send(upload, 0, 300_000)).state, 'finished');
    await commits(id);
    await leavesNothing();
  });

  it('is no file, and belongs to who began it last', async () => {
    const id = await open();
    const { id: upload } = await begin(id);
    await send(upload, 0, 100_000);
    await refuses('upload_of_write_session', uploads.finish(upload, {}));
    await send(upload, 100_000, 110_000);
    const { producer } = (await sessions().status(id))!;
    const own = store.as({ actor: 'other', share: 'other', grants: [{ role: 'writer', producers: [{ exact: producer }] }] });
    const taken = await own.writeSessions.beginUpload(id, 'a/b');
    assert.deepEqual([taken.created, taken.record.offset_bytes], [true, 0]);
    await refuses('upload_not_found', send(upload, 110_000, 300_000));
    const stranger = store.as({ actor: 'stranger', share: 's', grants: [{ role: 'writer', producers: [{ exact: 'another' }] }] });
    await refuses('write_session_not_found', stranger.writeSessions.beginUpload(id, 'a/b'));
    await refuses('write_session_object_not_found', sessions().beginUpload(id, 'other'));
    const reader = store.as({ actor: 'other', share: 'other', grants: [{ role: 'reader', producers: [{ exact: producer }] }] });
    await refuses('forbidden', reader.uploads!.append(taken.record.id, 0, chunks(bytes)));
    const nobody = store.as({ actor: 'other', share: 'other', grants: [{ role: 'writer', producers: [{ exact: 'another' }] }] });
    await refuses('write_session_not_found', nobody.uploads!.append(taken.record.id, 0, chunks(bytes)));
    await own.uploads!.append(taken.record.id, 0, chunks(bytes));
    await commits(id);
    await leavesNothing();
  });

  it("lies where no collection touches it until its session ends, and then is nobody's", async () => {
    const id = await open();
    const { id: upload } = await begin(id);
    await send(upload, 0, 100_000);
    await store.operator.collect();
    await send(upload, 100_000, 300_000);
    await store.operator.collect();
    assert.equal((await drafts()).length, 1);
    await sessions().abort(id);
    await leavesNothing();
  });
});

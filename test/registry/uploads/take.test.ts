import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../../src/compose/open-store.ts';
import { administrator } from '../../../src/kernel/access.ts';
import { holdsBytes, waiting } from '../../../src/registry/conformance/samples.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openTwoBackends } from '../two-backends.ts';

const named = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };

test('a body that leads beyond the length is refused before a byte of it is read', async () => {
  await using store = await openTestRegistry();
  const uploads = store.as('tester').uploads!;
  const { id } = await uploads.begin({ size_bytes: 4 });
  let asked = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    asked += 1;
    yield Buffer.from('abcde');
  }
  for (const options of [{ body_bytes: 5 }, { body_bytes: 5, size_bytes: 4 }, { body_bytes: 4, size_bytes: 5 }])
    await assert.rejects(uploads.append(id, 0, body(), options), { code: 'upload_length_mismatch' });
  assert.equal(asked, 0);
});

test('a short body that ends early, and late, adds nothing to what another process was told', async () => {
  await using store = await openTestRegistry();
  await using other = await openStore(store.config);
  const [registry, elsewhere] = [store.as('tester'), other.as('tester').uploads!];
  const { id: package_id } = (await registry.packages.create(named)).record;
  const { id } = await registry.uploads!.begin({ package_id, relative_path: 'a', size_bytes: 4 });
  const late = waiting('la');
  const appended = registry.uploads!.append(id, 0, late.body, { body_bytes: 4 });
  appended.catch(() => undefined);
  await late.reached;
  assert.equal((await elsewhere.status(id, { settle: true }))!.offset_bytes, 0);
  late.end();
  await assert.rejects(appended, { code: 'upload_superseded' });
  assert.equal((await elsewhere.status(id))!.offset_bytes, 0);
});

test('a writer that says late that it was at work does not undo its end', async () => {
  await using store = await openTwoBackends();
  const { uploads } = store.as(administrator('tester'));
  const { id } = await uploads!.begin({});
  const { row } = await store.database.write('upload.take', taking(id, 0));
  const said = { id, epoch: row.detail.epoch, lifetime_seconds: 60 };
  const segments = [{ name: 'a', bytes: 3 }];
  await store.database.write('upload.progress', { ...said, segments, release: { grows: true } });
  await store.database.write('upload.progress', { ...said, segments: null });
  const { detail } = (await store.database.read('upload.get', { id }))!;
  assert.deepEqual([detail.grows, detail.writer], [true, null]);
});

test('a writer whose upload is abandoned is told so, by whatever process it was', async () => {
  await using store = await openTestRegistry();
  await using other = await openStore(store.config);
  const { uploads } = store.as('tester');
  for (const by of [uploads!, other.as('tester').uploads!, other.operator]) {
    const { id } = await uploads!.begin({ size_bytes: 10 });
    const late = waiting('abc');
    const appended = uploads!.append(id, 0, late.body);
    appended.catch(() => undefined);
    await late.reached;
    await ('abandonUpload' in by ? by.abandonUpload(id) : by.abandon(id));
    late.end();
    await assert.rejects(appended, { code: 'upload_not_found', info: { state: 'abandoned' } });
  }
});

test('a writer whose upload has expired is told so', async () => {
  await using store = await openTwoBackends();
  const { id } = await store.as(administrator('tester')).uploads!.begin({});
  const { row } = await store.database.write('upload.take', taking(id, 0));
  const said = { id, epoch: row.detail.epoch, segments: [{ name: 'a', bytes: 3 }], lifetime_seconds: -60 };
  const { detail } = (await store.database.write('upload.progress', { ...said, release: { grows: true } }))!.row;
  await store.database.write('upload.expire', { before: row.created_at.replace(/^..../, '9999'), after: null, limit: 10 });
  const message = `The upload ${id} has expired, at ${detail.expires_at}; begin it again.`;
  await assert.rejects(store.database.write('upload.progress', said), { code: 'upload_not_found', info: { state: 'expired' }, message });
});

test('a piece as long as the one before counts behind a writer that was killed', async () => {
  await using store = await openTwoBackends();
  const registry = store.as(administrator('tester'));
  const { record } = await registry.packages.create(named);
  const { id } = await registry.uploads!.begin({ package_id: record.id, relative_path: 'a' });
  await registry.uploads!.append(id, 0, once('abc'));
  await store.database.write('upload.take', taking(id, 3));
  assert.equal((await registry.uploads!.append(id, 3, once('def'))).offset_bytes, 6);
  await holdsBytes(registry, (await registry.uploads!.finish(id)).record, Buffer.from('abcdef'));
});

/** Of another process. */
function taking(id: string, offset: number) {
  return { id, owner: null, holder: 'elsewhere', offset, size_bytes: null, body_bytes: null, policy: 'takeover' } as const;
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

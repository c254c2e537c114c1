import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { localRoot, openTestRegistry } from '../open-registry.ts';

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

test('10,000 open uploads hinder nobody, and one collection ends all of them and their bytes', async () => {
  await using store = await openTestRegistry();
  const actors = Array.from({ length: 10 }, (_, index) => store.as(`actor-${index}`).uploads!);
  let begun = 0;
  const work = async (): Promise<void> => {
    for (let index = begun++; index < 10_000; index = begun++) {
      const uploads = actors[index % 10]!;
      const { id } = await uploads.begin({ size_bytes: 10 });
      // Half of them came to nothing.
      if (index % 2 === 0) await uploads.append(id, 0, once('abc'));
    }
  };
  await Promise.all(Array.from({ length: 32 }, work));
  const drafts = () => readdir(join(localRoot(store.config), 'drafts'));
  assert.equal((await drafts()).length, 5_000);
  const { open_uploads, open_upload_bytes } = (await store.as('tester').usage()).backends[0]!;
  assert.deepEqual([open_uploads, open_upload_bytes], [10_000, 15_000]);
  await assert.rejects(actors[0]!.begin({}), { code: 'too_many_uploads' });
  // One more is begun, sent and finished as if it were alone.
  const { record } = await store.as('tester').packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const since = performance.now();
  const one = await store.as('tester').uploads!.begin({ package_id: record.id, relative_path: 'a', size_bytes: 3 });
  assert.equal((await store.as('tester').uploads!.append(one.id, 0, once('abc'))).state, 'finished');
  assert.ok(performance.now() - since < 20_000, 'one upload among many took long');

  assert.equal(store.config.database.kind, 'sqlite');
  {
    using file = new DatabaseSync((store.config.database as { readonly path: string }).path);
    const past = new Date(Date.now() - 90_000_000).toISOString();
    file
      .prepare("update uploads set updated_at = ?, detail = json_set(detail, '$.expires_at', ?) where state = 'open'")
      .run(past, new Date(Date.now() - 1000).toISOString());
  }
  const plan = await store.operator.planCollection();
  assert.deepEqual([plan.expire_uploads, plan.reclaim_drafts], [10_000, 5_000]);
  assert.equal((await store.operator.collect()).reclaimed_drafts, 5_000);
  assert.deepEqual(await drafts(), []);
  assert.equal((await store.operator.listUploads()).items.length, 0);
});

test('who sends a byte every other second outlives the time that an upload waits for its next byte', async () => {
  await using store = await openTestRegistry({ ARTIFACTSTORE_UPLOAD_TTL_SECONDS: '8' });
  const { uploads } = store.as('tester');
  const { id } = await uploads!.begin({});
  for (let offset = 0; offset < 6; offset++) {
    assert.equal((await uploads!.append(id, offset, once('x'))).offset_bytes, offset + 1);
    await store.operator.collect({ draftAgeSeconds: 0 });
    await pause(2_000);
  }
  const drafts = () => readdir(join(localRoot(store.config), 'drafts'));
  assert.equal((await drafts()).length, 1);
  await pause(8_100);
  await assert.rejects(uploads!.append(id, 6, once('x')), { code: 'upload_not_found' });
  await store.operator.collect({ draftAgeSeconds: 0 });
  assert.deepEqual(await drafts(), []);
});

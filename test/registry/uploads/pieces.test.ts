import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createObjectSegments } from '../../../src/dataplane/segments/objects.ts';
import { openDataPlane } from '../../../src/dataplane/streaming.ts';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openTwoBackends } from '../two-backends.ts';

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('an upload has a bounded number of pieces, whether they come one by one or from others', async () => {
  await using store = await openTestRegistry();
  const { uploads } = store.as('tester');
  const tooMany = (error: unknown) => isArtifactstoreError(error, 'too_many_uploads') && error.info?.bound === 'upload_segments';
  const upload = await uploads!.begin({});
  await uploads!.append(upload.id, 0, chunks('abc'));
  assert.equal(store.config.database.kind, 'sqlite');
  const pieces = (count: number) => {
    using file = new DatabaseSync((store.config.database as { readonly path: string }).path);
    const segments = JSON.stringify(Array.from({ length: count }, (_, index) => ({ name: `upload-${upload.id}-${index}`, bytes: 1 })));
    file
      .prepare(
        "update uploads set offset_bytes = ?, expected_size_bytes = ?, detail = json_set(detail, '$.segments', json(?)) where id = ?",
      )
      .run(count, count, segments, upload.id);
  };
  pieces(5_001);
  await assert.rejects(uploads!.begin({ parts: [upload.id, upload.id] }), tooMany);
  pieces(10_000);
  await assert.rejects(uploads!.append(upload.id, 10_000, chunks('')), tooMany);
  // Nothing of it is lost, and it can be given up.
  assert.equal((await uploads!.status(upload.id))!.offset_bytes, 10_000);
  await uploads!.abandon(upload.id);
});

test('pieces that longer ones replace are gone while the body still comes', async () => {
  await using store = await openTwoBackends();
  const memory = openMemoryStorage({ id: 'near' });
  const plane = openDataPlane({ backends: new Map([['near', memory]]), hashThreads: 0, spoolDirectory: store.directory });
  const slow = createObjectSegments({ ...plane, pace: { bytes: 1, milliseconds: 60_000 } });
  const over = store.over({
    dataplane: { ...plane, segments: { ...plane.segments, append: (write, source) => slow.append(memory, write, source) } },
  });
  const { uploads } = over.as(administrator('tester'));
  const { id } = await uploads!.begin({});
  const keys = async () => (await Array.fromAsync(memory.list('uploads/'))).length;
  const told: number[] = [];
  const more = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunks(...'abcdefgh');
    await more.promise;
    yield Buffer.from('i');
  }
  const appended = uploads!.append(id, 0, body(), { onDurable: (bytes) => void told.push(bytes) });
  for (let waited = 0; waited < 30_000 && !(told.length >= 7 && (await keys()) <= 2); waited += 20) await pause(20);
  assert.ok((await keys()) <= 2, `${await keys()} objects`);
  more.resolve();
  assert.equal((await appended).offset_bytes, 9);
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7, 8]);
  await over.settle();
  assert.equal(await keys(), 1);
  await plane.close();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUploadWriters } from '../../../src/registry/uploads/writers.ts';

const quiet = 5_000;

test('a writer is replaced by one that would not end it only when its client has been silent for long', async () => {
  let passed = 0;
  const writers = createUploadWriters('here', { quiet, uptime: () => passed });
  const first = await writers.enter('a', 'locked', false);
  const more = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x');
    await more.promise;
  }
  const chunks = first.watch(body())[Symbol.asyncIterator]();
  await chunks.next();
  // A disk that is slow is no client that is gone.
  passed += 2 * quiet;
  assert.equal(first.isQuiet(), false);
  await assert.rejects(writers.enter('a', 'locked', false), { code: 'upload_locked' });
  const waiting = chunks.next();
  await assert.rejects(writers.enter('a', 'locked', false), { code: 'upload_locked' });
  passed += 2 * quiet;
  assert.equal(first.isQuiet(), true);
  first.signal.addEventListener('abort', () => first.leave());
  const second = await writers.enter('a', 'locked', false);
  assert.equal(first.signal.aborted, true);
  more.resolve();
  assert.equal((await waiting).done, true);
  assert.equal(first.isQuiet(), false);
  await assert.rejects(writers.enter('a', 'locked', false), { code: 'upload_locked' });
  second.leave();
});

test('who makes the file is never taken for silent', async () => {
  let passed = 0;
  const writers = createUploadWriters('here', { quiet, uptime: () => passed });
  const finishing = await writers.enter('a', 'locked', true);
  passed += 2 * quiet;
  await assert.rejects(writers.enter('a', 'locked', false), { code: 'upload_locked' });
  finishing.leave();
});

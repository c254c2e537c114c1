import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { startHashThreads } from '../../../src/dataplane/hashing/hash-threads.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { mebibyte } from '../planes.ts';

describe('hashing threads', () => {
  test('hash many files side by side, from shared memory or not', async () => {
    const threads = startHashThreads(2);
    const files = Array.from({ length: 7 }, (_, index) => randomBytes(index * 700_001));
    const hashed = await Promise.all(
      files.map(async (bytes, index) => {
        const digester = threads.begin(['sha256']);
        for (let first = 0; first < bytes.byteLength; first += mebibyte) {
          const piece = bytes.subarray(first, first + mebibyte);
          const shared = Buffer.from(new SharedArrayBuffer(piece.byteLength));
          shared.set(piece);
          await digester.update(index % 2 === 0 ? shared : piece);
          shared.fill(0);
        }
        return Buffer.from((await digester.finish()).digests.get('sha256')!).toString('hex');
      }),
    );
    assert.deepEqual(
      hashed,
      files.map((bytes) => createHash('sha256').update(bytes).digest('hex')),
    );
    await threads.close();
  });

  test('say what went wrong, and go on with other files', async () => {
    const threads = startHashThreads(1);
    const fine = threads.begin(['sha256']);
    const bad = threads.begin(['crc32']);
    await assert.rejects(bad.update(randomBytes(10)), (error) => isArtifactstoreError(error));
    bad.forget();
    await fine.update(Buffer.from('abc'));
    assert.equal(
      Buffer.from((await fine.finish()).digests.get('sha256')!).toString('hex'),
      createHash('sha256').update('abc').digest('hex'),
    );
    await threads.close();
  });

  test('fail what waits when they end, and begin anew', async () => {
    const threads = startHashThreads(1);
    const digester = threads.begin(['sha256']);
    await digester.update(Buffer.from('abc'));
    const waiting = digester.update(Buffer.alloc(16 * mebibyte));
    await Promise.all([threads.close(), assert.rejects(waiting, (error) => isArtifactstoreError(error, 'internal'))]);
    await assert.rejects(digester.finish(), (error) => isArtifactstoreError(error, 'internal'));
    const next = threads.begin(['sha256']);
    await next.update(Buffer.from('abc'));
    await next.finish();
    await threads.close();
  });

  test('are let start before they end: the engine can break down', async () => {
    const said: unknown[] = [];
    const watch = (worker: Worker): void => void worker.once('message', (message) => said.push(message));
    process.on('worker', watch);
    try {
      const threads = startHashThreads(1);
      const refused = assert.rejects(threads.begin(['sha256']).update(Buffer.from('abc')), { code: 'internal' });
      await Promise.all([threads.close(), refused]);
      assert.deepEqual(said, [{ kind: 'updated', stream: 1 }]);
    } finally {
      process.removeListener('worker', watch);
    }
  });
});

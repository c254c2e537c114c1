import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  assertFails,
  bytesAt,
  type Check,
  chunksOf,
  illegalKeys,
  inChunks,
  listed,
  mebibyte,
  oddKeys,
  repeated,
  reusingOneBuffer,
} from './cases.ts';

export function objectCases(check: Check): void {
  check('gives back the bytes that were put', async (storage) => {
    for (const size of [1, 4096, 65_535, 65_536, 65_537, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 5]) {
      const bytes = randomBytes(size);
      await storage.put(`sizes/${size}`, inChunks(bytes, 50_021), { sizeBytes: size });
      assert.deepEqual(await storage.head(`sizes/${size}`), { sizeBytes: size });
      assert.ok((await bytesAt(storage, `sizes/${size}`))!.equals(bytes), `${size} bytes`);
    }
  });

  check('keeps an empty object', async (storage) => {
    for (const [key, source] of [
      ['empty/no-chunk', inChunks(Buffer.alloc(0), 1)],
      ['empty/empty-chunks', chunksOf([Buffer.alloc(0), Buffer.alloc(0)])],
    ] as const) {
      await storage.put(key, source, { sizeBytes: 0 });
      assert.deepEqual(await storage.head(key), { sizeBytes: 0 });
      assert.equal((await bytesAt(storage, key))?.byteLength, 0);
    }
  });

  check('does not keep a hold on the chunks of the source', async (storage) => {
    const bytes = randomBytes(300_000);
    await storage.put('reused', reusingOneBuffer(bytes));
    assert.ok((await bytesAt(storage, 'reused'))!.equals(bytes));
  });

  check('does not keep a hold on the chunks of a long source either, which can be read again', async (storage) => {
    const bytes = randomBytes(9 * mebibyte);
    const digestSha256 = createHash('sha256').update(bytes).digest('hex');
    const source = { [Symbol.asyncIterator]: () => reusingOneBuffer(bytes) };
    await storage.put('reused/long', source, { sizeBytes: bytes.byteLength, digestSha256, repeatable: true });
    assert.ok((await bytesAt(storage, 'reused/long'))!.equals(bytes));
  });

  check('answers undefined for what is not there', async (storage) => {
    await storage.put('some/key', chunksOf([Buffer.from('x')]));
    for (const key of ['absent', 'some', 'some/key/below', 'some/ke', 'some/key2', 'other/key']) {
      assert.equal(await storage.get(key), undefined, key);
      assert.equal(await storage.head(key), undefined, key);
    }
  });

  check('deletes, and a second time too', async (storage) => {
    await storage.put('a/b', chunksOf([Buffer.from('x')]));
    await storage.delete('a/b');
    assert.equal(await storage.get('a/b'), undefined);
    assert.equal(await storage.head('a/b'), undefined);
    await storage.delete('a/b');
    await storage.delete('a');
    await storage.delete('never/was');
    await storage.put('a/b', chunksOf([Buffer.from('again')]));
    assert.equal(String(await bytesAt(storage, 'a/b')), 'again');
  });

  check('takes odd but legal keys, and tells them apart', async (storage) => {
    const keys = oddKeys.map((odd) => `odd/${odd}`);
    for (const key of keys) await storage.put(key, chunksOf([Buffer.from(key)]));
    for (const key of keys) assert.equal(String(await bytesAt(storage, key)), key);
    assert.deepEqual((await listed(storage, 'odd/')).map(({ key }) => key).sort(), [...keys].sort());
  });

  check('makes an object where there is none, once, however many try', async (storage) => {
    const tries = Array.from({ length: 8 }, (_, index) => Buffer.from(`by ${index}`));
    const made = await Promise.all(tries.map((bytes) => storage.create('new/here', bytes)));
    const bytes = await bytesAt(storage, 'new/here');
    if (made.filter(Boolean).length === 1) assert.ok(bytes!.equals(tries[made.indexOf(true)]!));
    assert.ok(
      made.some((one, index) => one && bytes!.equals(tries[index]!)),
      'a store without the condition lets several, and one of them is there',
    );
    assert.equal(await storage.create('new/here', Buffer.from('late')), false);
    assert.ok((await bytesAt(storage, 'new/here'))!.equals(bytes!));
  });

  check('refuses keys that no program of ours makes', async (storage) => {
    for (const key of illegalKeys) {
      await assertFails(storage.put(key, chunksOf([Buffer.from('x')])), 'internal');
      await assertFails(storage.create(key, Buffer.from('x')), 'internal');
      await assertFails(storage.get(key), 'internal');
      await assertFails(storage.head(key), 'internal');
      await assertFails(storage.delete(key), 'internal');
    }
    assert.deepEqual(await listed(storage, ''), []);
  });

  check('is healthy', async (storage) => {
    const health = await storage.health();
    assert.equal(health.healthy, true, health.detail);
    assert.equal(typeof health.detail, 'string');
    for (const bytes of [health.freeBytes, health.totalBytes]) assert.ok(bytes === null || bytes >= 0);
    assert.deepEqual(await listed(storage, ''), []);
  });

  check('carries a large object in bounded memory', async (storage) => {
    const chunk = randomBytes(65_536);
    const count = 1024;
    await storage.put('large', repeated(chunk, count));
    const reader = await storage.get('large');
    assert.equal(reader?.sizeBytes, chunk.byteLength * count);
    let position = 0;
    for await (const part of reader!.body) {
      assert.ok(part.byteLength <= 16 * mebibyte, 'a chunk must not be the whole object');
      for (let index = 0; index < part.byteLength; ) {
        const from = (position + index) % chunk.byteLength;
        const length = Math.min(part.byteLength - index, chunk.byteLength - from);
        assert.equal(Buffer.compare(part.subarray(index, index + length), chunk.subarray(from, from + length)), 0);
        index += length;
      }
      position += part.byteLength;
    }
    assert.equal(position, chunk.byteLength * count);
  });
}

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type Check, gather, inChunks, mebibyte, repeated } from './cases.ts';

export function rangeCases(check: Check): void {
  for (const size of [1, 1000, 65_537, 2 * mebibyte + 3]) {
    check(`reads ranges of ${size} bytes at every edge`, async (storage) => {
      const bytes = randomBytes(size);
      await storage.put('ranged', inChunks(bytes, 70_001));
      const edges = [0, 1, 2, 65_535, 65_536, mebibyte - 1, mebibyte, mebibyte + 1, size - 2, size - 1];
      const points = [...new Set(edges.filter((point) => point >= 0 && point < size))];
      for (const first of points) {
        for (const last of points.filter((point) => point >= first)) {
          const reader = await storage.get('ranged', { range: { first, last } });
          assert.equal(reader?.sizeBytes, size);
          assert.ok((await gather(reader!.body)).equals(bytes.subarray(first, last + 1)), `${first}-${last}`);
        }
      }
    });
  }

  check('answers undefined for a range of what is not there', async (storage) => {
    assert.equal(await storage.get('absent', { range: { first: 0, last: 0 } }), undefined);
  });

  check('releases everything when a reader ends early or never begins', async (storage) => {
    await storage.put('large', repeated(randomBytes(65_536), 64));
    for (const taken of [0, 1, 2]) {
      const reader = await storage.get('large');
      const iterator = reader!.body[Symbol.asyncIterator]();
      for (let index = 0; index < taken; index++) assert.equal((await iterator.next()).done, false);
      await iterator.return?.();
    }
    await storage.delete('large');
  });
}

import assert from 'node:assert/strict';
import { forEachLimited } from '../../runtime/limit.ts';
import { assertFails, type Check, chunksOf, listed } from './cases.ts';

export function listCases(check: Check): void {
  check('lists by prefix, with size and time', async (storage) => {
    const before = Date.now();
    for (const [key, size] of [
      ['p/a', 0],
      ['p/ab/c', 1],
      ['p/ab/d', 2],
      ['q/a', 3],
      ['pa', 4],
    ] as const) {
      await storage.put(key, chunksOf([Buffer.alloc(size)]));
    }
    const keysUnder = async (prefix: string): Promise<readonly string[]> => (await listed(storage, prefix)).map(({ key }) => key).sort();
    assert.deepEqual(await keysUnder(''), ['p/a', 'p/ab/c', 'p/ab/d', 'pa', 'q/a']);
    assert.deepEqual(await keysUnder('p'), ['p/a', 'p/ab/c', 'p/ab/d', 'pa']);
    assert.deepEqual(await keysUnder('p/'), ['p/a', 'p/ab/c', 'p/ab/d']);
    assert.deepEqual(await keysUnder('p/a'), ['p/a', 'p/ab/c', 'p/ab/d']);
    assert.deepEqual(await keysUnder('p/ab/'), ['p/ab/c', 'p/ab/d']);
    assert.deepEqual(await keysUnder('p/ab/c'), ['p/ab/c']);
    assert.deepEqual(await keysUnder('p/ab/c/'), []);
    assert.deepEqual(await keysUnder('x/'), []);
    const day = 86_400_000;
    for (const { key, sizeBytes, modifiedMilliseconds } of await listed(storage, '')) {
      assert.deepEqual(await storage.head(key), { sizeBytes });
      assert.ok(Number.isInteger(modifiedMilliseconds) && Math.abs(modifiedMilliseconds - before) < day, 'milliseconds since the epoch');
    }
  });

  check('lists more than 1,000 objects, each once', async (storage) => {
    const keys = Array.from({ length: 1007 }, (_, index) => `many/${String(index % 7)}/${String(index)}`);
    await forEachLimited(keys, 16, (key) => storage.put(key, chunksOf([Buffer.from(key)])));
    assert.deepEqual((await listed(storage, 'many/')).map(({ key }) => key).sort(), keys.sort());
  });

  check('stops a listing, and lets one end early', async (storage) => {
    for (const key of ['a', 'b', 'c']) await storage.put(key, chunksOf([Buffer.from(key)]));
    for await (const _ of storage.list('')) break;
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      for await (const _ of storage.list('', { signal: controller.signal })) controller.abort();
    };
    await assertFails(run(), 'cancelled');
  });
}

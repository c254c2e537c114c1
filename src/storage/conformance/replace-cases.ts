import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { assertReadIsWhole, bytesAt, type Check, inChunks, listed, mebibyte } from './cases.ts';

export function replaceCases(check: Check): void {
  check('replaces in one step, also while the old object is read', async (storage) => {
    const [old, fresh] = [randomBytes(4 * mebibyte), randomBytes(4 * mebibyte + 7)];
    await storage.put('k', inChunks(old, 65_536));
    await assertReadIsWhole(storage, 'k', old, () => storage.put('k', inChunks(fresh, 65_536)));
    assert.ok((await bytesAt(storage, 'k'))!.equals(fresh));
  });

  check('keeps an object readable to the end when it is deleted meanwhile', async (storage) => {
    const bytes = randomBytes(4 * mebibyte);
    await storage.put('k', inChunks(bytes, 65_536));
    await assertReadIsWhole(storage, 'k', bytes, () => storage.delete('k'));
    assert.equal(await storage.get('k'), undefined);
  });

  check('shows nothing before the source has ended', async (storage) => {
    let seen: unknown = 'not looked';
    async function* source(): AsyncGenerator<Uint8Array> {
      yield randomBytes(200_000);
      seen = [await storage.head('k'), await storage.get('k'), await listed(storage, '')];
      yield randomBytes(200_000);
    }
    await storage.put('k', source());
    assert.deepEqual(seen, [undefined, undefined, []]);
  });

  check('ends with one whole object when many put the same key', async (storage) => {
    const candidates = Array.from({ length: 12 }, () => randomBytes(150_000));
    await Promise.all(candidates.map((bytes) => storage.put('same/key', inChunks(bytes, 40_000))));
    const bytes = await bytesAt(storage, 'same/key');
    assert.ok(candidates.some((candidate) => candidate.equals(bytes!)));
    assert.equal((await listed(storage, '')).length, 1);
  });
}

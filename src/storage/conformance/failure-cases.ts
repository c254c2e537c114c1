import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Storage } from '../STORAGE.ts';
import { assertFails, bytesAt, type Check, chunksOf, inChunks, listed, mebibyte } from './cases.ts';

export function failureCases(check: Check): void {
  for (const [when, previous] of [
    ['there was nothing', undefined],
    ['there was an object', Buffer.from('previous')],
  ] as const) {
    const prepared = (title: string, body: (storage: Storage) => Promise<void>): void =>
      check(`${title}, where ${when}`, async (storage) => {
        if (previous !== undefined) await storage.put('k', chunksOf([previous]));
        await body(storage);
        assert.deepEqual(await bytesAt(storage, 'k'), previous);
        assert.equal((await listed(storage, '')).length, previous === undefined ? 0 : 1);
      });

    prepared('leaves the previous state when the source throws midway', async (storage) => {
      const fault = new Error('the source broke');
      async function* source(): AsyncGenerator<Uint8Array> {
        yield randomBytes(300_000);
        throw fault;
      }
      await assert.rejects(storage.put('k', source()), (error) => error === fault);
    });

    prepared('leaves the previous state when it is stopped midway', async (storage) => {
      const controller = new AbortController();
      let released = false;
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          yield randomBytes(300_000);
          controller.abort();
          yield randomBytes(300_000);
        } finally {
          released = true;
        }
      }
      await assertFails(storage.put('k', source(), { signal: controller.signal }), 'cancelled');
      assert.ok(released, 'the source was told');
    });

    prepared('leaves the previous state when it is stopped while the source hangs', async (storage) => {
      const controller = new AbortController();
      async function* source(): AsyncGenerator<Uint8Array> {
        yield randomBytes(1000);
        setImmediate(() => controller.abort());
        await new Promise(() => undefined);
      }
      await assertFails(storage.put('k', source(), { signal: controller.signal }), 'cancelled');
    });

    prepared('leaves the previous state when the length is not the declared one', async (storage) => {
      for (const sizeBytes of [0, 299_999, 300_001]) {
        await assertFails(storage.put('k', inChunks(randomBytes(300_000), 65_536), { sizeBytes }), 'length_mismatch');
      }
    });
  }

  check('does nothing for a signal that was given already', async (storage) => {
    await storage.put('k', chunksOf([Buffer.from('x')]));
    const signal = AbortSignal.abort();
    await assertFails(storage.put('k', chunksOf([Buffer.from('y')]), { signal }), 'cancelled');
    await assertFails(storage.get('k', { signal }), 'cancelled');
    await assertFails(storage.head('k', { signal }), 'cancelled');
    await assertFails(storage.delete('k', { signal }), 'cancelled');
    assert.equal(String(await bytesAt(storage, 'k')), 'x');
  });

  check('stops a read', async (storage) => {
    const bytes = randomBytes(8 * mebibyte);
    await storage.put('k', inChunks(bytes, 65_536));
    const controller = new AbortController();
    const reader = await storage.get('k', { signal: controller.signal });
    const read = async (): Promise<void> => {
      for await (const _ of reader!.body) controller.abort();
    };
    await assertFails(read(), 'cancelled');
  });
}

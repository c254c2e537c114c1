import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Certificate } from '../../../src/storage/certify/certificate.ts';
import { contentOf } from './bucket-content.ts';
import { openPlace } from './place.ts';
import type { RealStore } from './store.ts';

/** `storage certify` finds the store safe for what a registry does with it, and leaves nothing behind. */
export function certificationOn(ground: () => Promise<{ readonly store: RealStore; readonly bucket: string }>): void {
  describe('certification', () => {
    test('finds it safe for a registry, and leaves nothing behind', async () => {
      const { store, bucket } = await ground();
      using place = openPlace(store, bucket);
      await place.json('migrate');
      const certificate = await place.json<Certificate & Record<string, unknown>>('storage', 'certify', '--save');
      const registry = certificate.uses.find(({ use }) => use === 'registry');
      assert.match(registry?.verdict ?? '', /^safe/, JSON.stringify(registry?.decided_by));
      assert.deepEqual(certificate.leftovers, []);
      assert.deepEqual(await contentOf(store, bucket), { keys: [], bytes: 0, unfinished: 0 });
      assert.equal((await place.json('health')).status, 'ok');
    });
  });
}

import { after, before, describe, test } from 'node:test';
import { conformanceOn } from './conformance.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { endToEndOn } from './end-to-end.ts';
import { directoryStores } from './kinds.ts';
import { settingsOf } from './settings-of.ts';
import type { RealStore } from './store.ts';

for (const kind of directoryStores)
  describe(kind.name, { skip: whyNo(kind) ?? false }, () => {
    let store: RealStore;
    let bucket: string;
    before(async () => {
      store = await startDirectoryStore(kind);
      bucket = await store.createBucket();
    });
    after(() => store?.[Symbol.asyncDispose]());

    if (kind.shortcoming === undefined) conformanceOn('with the keys of its owner', () => settingsOf(store, bucket));
    else test('storage: with the keys of its owner', { skip: kind.shortcoming }, () => undefined);
    endToEndOn('on SQLite', async () => ({ store, bucket: await store.createBucket() }));
  });

describe('not to be had here', () => {
  test('RustFS', { skip: 'its crate wants a newer Rust (1.98) than most machines have' }, () => undefined);
});

import { after, before, describe, test } from 'node:test';
import { certificationOn } from './certification.ts';
import { conformanceOn } from './conformance.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { endToEndOn } from './end-to-end.ts';
import { minio, rclone, versitygw } from './kinds.ts';
import { settingsOf } from './settings-of.ts';
import type { RealStore } from './store.ts';

for (const kind of [minio, versitygw, rclone])
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
    if (kind.remains === undefined) certificationOn(async () => ({ store, bucket: await store.createBucket() }));
    else test('certification', { skip: kind.remains }, () => undefined);
    endToEndOn('on SQLite', async () => ({ store, bucket: await store.createBucket() }));
  });

describe('not to be had as a package or by a module proxy', () => {
  for (const name of ['SeaweedFS', 'Garage'])
    test(name, { skip: 'there is no script in tools/stores/ that could install it' }, () => undefined);
});

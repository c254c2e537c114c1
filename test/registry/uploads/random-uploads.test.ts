import { test } from 'node:test';
import { openStore } from '../../../src/compose/open-store.ts';
import { ageUpload } from '../age.ts';
import { openTestRegistry } from '../open-registry.ts';
import { useUploadsAtRandom } from './random-uploads.ts';

const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));

test(`two registries on one database lose no acknowledged byte and show no wrong one (seed ${seed})`, async () => {
  await using first = await openTestRegistry();
  await using second = await openStore(first.config);
  await useUploadsAtRandom({ stores: [first, second], seed, steps: 80, age: (id) => ageUpload(first.config, id, 90_000) });
});

import { test } from 'node:test';
import { openStore, type Store } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { startPostgres } from '../../postgres-server.ts';
import { ageUpload } from '../age.ts';
import { openTestRegistry, type TestRegistry } from '../open-registry.ts';
import { openBucket } from './open-machines.ts';
import { useUploadsAtRandom } from './random-uploads.ts';

const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));
const rounds = 10;

test(`two registries on PostgreSQL lose no byte of an upload (seeds from ${seed})`, async () => {
  const server = await startPostgres();
  try {
    await using first = await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() });
    await using second = await openStore(first.config);
    await useForRounds([first, second], 300);
  } finally {
    await server.stop();
  }
});

test(`two machines with PostgreSQL and a bucket lose no byte of an upload (seeds from ${seed})`, async () => {
  const [server, { store: bucket, environment }] = await Promise.all([startPostgres(), openBucket()]);
  try {
    const settings = { ...environment, ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() };
    await using first = await openTestRegistry(settings);
    await using other = await openTestRegistry(settings);
    await using second = await openStore(readConfig(settings, { directory: other.directory }));
    await useForRounds([first, second], 150);
  } finally {
    await bucket.close();
    await server.stop();
  }
});

async function useForRounds(stores: readonly [TestRegistry, Store], steps: number): Promise<void> {
  const age = (id: string) => ageUpload(stores[0].config, id, 90_000);
  for (let round = 0; round < rounds; round++) await useUploadsAtRandom({ stores, seed: seed + round, steps, age });
}

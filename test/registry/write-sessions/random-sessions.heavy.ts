import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore, type Store } from '../../../src/compose/open-store.ts';
import { startPostgres } from '../../postgres-server.ts';
import { ageSession } from '../age.ts';
import { localRoot, openTestRegistry, type TestRegistry } from '../open-registry.ts';
import { openBucket } from '../uploads/open-machines.ts';
import { openPresignedBucket } from './presigned-bucket.ts';
import { type RandomSessions, useSessionsAtRandom } from './random-sessions.ts';

const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));
const rounds = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 3);

async function play(stores: readonly [TestRegistry, ...Store[]], steps: number, more: Pick<RandomSessions, 'spoil'> = {}): Promise<void> {
  let committed = 0;
  for (let round = 0; round < rounds; round++)
    committed += await useSessionsAtRandom({
      stores,
      seed: seed + round,
      steps,
      age: (id) => ageSession(stores[0].config, id, 1),
      ...more,
    });
  assert.ok(committed > 0, 'nothing was committed');
}

async function leavesNoDraft({ config }: TestRegistry): Promise<void> {
  const left = async () => (await readdir(join(localRoot(config), 'drafts'))).filter((name) => name.startsWith('upload-'));
  for (let waited = 0; waited < 30_000 && (await left()).length > 0; waited += 50) await pause(50);
  assert.deepEqual(await left(), []);
}

test(`two registries on one SQLite file keep what write sessions commit (seeds from ${seed})`, async () => {
  await using first = await openTestRegistry();
  await using second = await openStore(first.config);
  await play([first, second], 200);
  await leavesNoDraft(first);
});

test(`two registries on PostgreSQL keep what write sessions commit (seeds from ${seed})`, async () => {
  const server = await startPostgres();
  try {
    await using first = await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() });
    await using second = await openStore(first.config);
    await play([first, second], 200);
    await leavesNoDraft(first);
  } finally {
    await server.stop();
  }
});

test(`two registries with a bucket keep what write sessions commit (seeds from ${seed})`, async () => {
  const { store: bucket, environment } = await openBucket();
  try {
    await using first = await openTestRegistry(environment);
    await using second = await openStore(first.config);
    await play([first, second], 120);
  } finally {
    await bucket.close();
  }
});

test(`two registries whose senders write to the bucket keep what write sessions commit (seeds from ${seed})`, async () => {
  const { store: bucket, environment, close } = await openPresignedBucket();
  try {
    await using first = await openTestRegistry(environment);
    await using second = await openStore(first.config);
    const keyOf = (url: string): string => decodeURIComponent(new URL(url).pathname).replace('/artifacts/', '');
    await play([first, second], 200, { spoil: (url, bytes) => bucket.place('artifacts', keyOf(url), bytes) });
    const uploads = () => bucket.objects('artifacts').filter((key) => key.startsWith('uploads/'));
    await first.operator.collect({ draftAgeSeconds: 0 });
    assert.deepEqual(uploads(), [], 'what came late is collected');
  } finally {
    await close();
  }
});

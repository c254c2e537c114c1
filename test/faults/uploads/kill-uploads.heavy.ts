import { test } from 'node:test';
import { startPostgres } from '../../postgres-server.ts';
import { openBucket } from '../../registry/uploads/open-machines.ts';
import { killUploads } from './kill-matrix.ts';

/** Files a wire that a kill hits, in each of the three: 20 together, and 200 by hand. */
const runs = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 7);
const pushes = Number(process.env.ARTIFACTSTORE_TEST_PUSHES ?? 2);
/** On a slow machine by hand; undefined for as long as it takes. */
const seconds = process.env.ARTIFACTSTORE_TEST_SECONDS === undefined ? undefined : Number(process.env.ARTIFACTSTORE_TEST_SECONDS);
const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));
/** As `put,tus`; `push` alone is none of them. */
const only = process.env.ARTIFACTSTORE_TEST_WIRES?.split(',');
const matrix = { seed, runs, pushes, seconds, only };

test(`clients and a server that are killed lose no upload and leave none, on a disk (seed ${seed})`, () => killUploads(matrix));

test(`clients and a server that are killed lose no upload and leave none, in a bucket (seed ${seed})`, async () => {
  const { store: bucket, environment } = await openBucket();
  const left = () => [...bucket.objects('artifacts').filter((key) => key.startsWith('uploads/')), ...bucket.uploads('artifacts')];
  try {
    await killUploads({ ...matrix, environment, left });
  } finally {
    await bucket.close();
  }
});

test(`two machines of which one is killed lose no upload and leave none, on PostgreSQL and a bucket (seed ${seed})`, async () => {
  const [server, { store: bucket, environment }] = await Promise.all([startPostgres(), openBucket()]);
  const left = () => [...bucket.objects('artifacts').filter((key) => key.startsWith('uploads/')), ...bucket.uploads('artifacts')];
  try {
    const settings = { ...environment, ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() };
    await killUploads({ ...matrix, servers: 2, environment: settings, left });
  } finally {
    await bucket.close();
    await server.stop();
  }
});

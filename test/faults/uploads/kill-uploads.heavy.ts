import { test } from 'node:test';
import { openBucket } from '../../registry/uploads/open-machines.ts';
import { killUploads } from './kill-matrix.ts';

/** Files a wire; 200 by hand. */
const runs = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 5);
const pushes = Number(process.env.ARTIFACTSTORE_TEST_PUSHES ?? 2);
const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));

test(`clients and a server that are killed lose no upload and leave none, on a disk (seed ${seed})`, () =>
  killUploads({ seed, runs, pushes }));

test(`clients and a server that are killed lose no upload and leave none, in a bucket (seed ${seed})`, async () => {
  const { store: bucket, environment } = await openBucket();
  try {
    await killUploads({
      ...{ seed, runs, pushes, environment },
      left: () => [...bucket.objects('artifacts').filter((key) => key.startsWith('uploads/')), ...bucket.uploads('artifacts')],
    });
  } finally {
    await bucket.close();
  }
});

import { after, before, describe, test } from 'node:test';
import { killUploads } from '../faults/uploads/kill-matrix.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { contentOf } from './bucket-content.ts';
import { settingsFor } from './place.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';

/** Files a wire that a kill hits. */
const runs = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 6);
const pushes = Number(process.env.ARTIFACTSTORE_TEST_PUSHES ?? 1);
/** On a slow machine by hand; undefined for as long as it takes. */
const seconds = process.env.ARTIFACTSTORE_TEST_SECONDS === undefined ? undefined : Number(process.env.ARTIFACTSTORE_TEST_SECONDS);
/** A push sends a large file again that a killed server has not taken whole: on a slow machine servers live longer. */
const lifeSeconds = process.env.ARTIFACTSTORE_TEST_LIFE === undefined ? undefined : Number(process.env.ARTIFACTSTORE_TEST_LIFE);
/** As `put,tus`; `push` alone is none of them. */
const only = process.env.ARTIFACTSTORE_TEST_WIRES?.split(',');
const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));
/** What is deleted lies in the store for hours otherwise, and by hand so many pushes fill it. */
const collectsSoon = ['rgw_gc_obj_min_wait = 5', 'rgw_gc_processor_period = 5', 'rgw_gc_processor_max_time = 5'];
const matrix = { seed, runs, pushes, seconds, lifeSeconds, only };

describe(`clients and servers that are killed lose no upload and leave none, on Ceph RGW (seed ${seed})`, {
  skip: whyNoRgw() ?? false,
}, () => {
  let rgw: Rgw;
  let postgres: PostgresServer;
  before(async () => {
    rgw = await startRgw({ configuration: collectsSoon });
    postgres = await startPostgres();
  });
  after(async () => {
    await rgw?.[Symbol.asyncDispose]();
    await postgres?.stop();
  });

  async function leftIn(bucket: string): Promise<readonly string[]> {
    const { keys, unfinished } = await contentOf(rgw, bucket);
    return [...keys.filter((key) => key.includes('/uploads/')), ...Array.from({ length: unfinished }, () => 'an upload in parts')];
  }

  test('one server, on SQLite', async () => {
    const bucket = await rgw.createBucket();
    await killUploads({ ...matrix, environment: settingsFor(rgw, bucket), left: () => leftIn(bucket) });
  });

  test('one of two, on PostgreSQL', async () => {
    const bucket = await rgw.createBucket();
    const environment = { ...settingsFor(rgw, bucket), ARTIFACTSTORE_DATABASE_URL: await postgres.createDatabase() };
    await killUploads({ ...matrix, servers: 2, environment, left: () => leftIn(bucket) });
  });
});

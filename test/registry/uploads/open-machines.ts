import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import type { OpenedForUploads } from '../../../src/registry/conformance/uploads.ts';
import { startPostgres } from '../../postgres-server.ts';
import { openStrictStore, type StrictStore, type StrictStoreOptions } from '../../s3-stand-in/strict-store.ts';
import { openTestRegistry } from '../open-registry.ts';
import { alternate } from './alternate.ts';

/** Two servers that share a database; every other call goes to the other one. */
export async function openTwo(environment: Readonly<Record<string, string>>, oneMachine: boolean): Promise<OpenedForUploads> {
  const first = await openTestRegistry(environment);
  const own = oneMachine ? undefined : await openTestRegistry(environment);
  const second = own ?? (await openStore(readConfig(environment, { directory: first.directory })));
  const as: OpenedForUploads['as'] = (principal) => alternate([first.as(principal), second.as(principal)]);
  return {
    registry: alternate([first.as('tester'), second.as('tester')]),
    as,
    async close() {
      await second.close();
      await first.close();
    },
  };
}

/** A strict store, and the settings of a backend in it. */
export async function openBucket(
  options: StrictStoreOptions = {},
): Promise<{ readonly store: StrictStore; readonly environment: Readonly<Record<string, string>> }> {
  const store = await openStrictStore(options);
  return {
    store,
    environment: {
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
      ARTIFACTSTORE_S3_ENDPOINT_URL: store.url,
      ARTIFACTSTORE_S3_REGION: store.region,
      ARTIFACTSTORE_S3_BUCKET: 'artifacts',
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
      ACCESS: store.accessKeyId,
      SECRET: store.secretAccessKey,
    },
  };
}

/** Two processes on one PostgreSQL and one directory. */
export async function openTwoOnPostgres(): Promise<OpenedForUploads> {
  const server = await startPostgres();
  const opened = await openTwo({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() }, true);
  return {
    ...opened,
    async close() {
      await opened.close();
      await server.stop();
    },
  };
}

/** Two machines on one PostgreSQL and one bucket. */
export async function openTwoMachines(): Promise<OpenedForUploads> {
  const [server, { store: bucket, environment }] = await Promise.all([startPostgres(), openBucket()]);
  const opened = await openTwo({ ...environment, ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() }, false);
  return {
    ...opened,
    async close() {
      await opened.close();
      await bucket.close();
      await server.stop();
    },
  };
}

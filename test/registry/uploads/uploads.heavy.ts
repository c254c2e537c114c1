import { uploadsConformance } from '../../../src/registry/conformance/uploads.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openBucket, openTwo, openTwoMachines, openTwoOnPostgres } from './open-machines.ts';

uploadsConformance('SQLite and local disk, two processes in turn', () => openTwo({}, true));

uploadsConformance('SQLite and a bucket', async () => {
  const { store: bucket, environment } = await openBucket();
  const store = await openTestRegistry(environment);
  return {
    registry: store.as('tester'),
    as: store.as,
    async close() {
      await store.close();
      await bucket.close();
    },
  };
});

uploadsConformance('PostgreSQL and local disk, two processes in turn', openTwoOnPostgres);
uploadsConformance('PostgreSQL and a bucket, two machines in turn', openTwoMachines);

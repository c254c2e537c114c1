import { uploadsConformance } from '../../../src/registry/conformance/uploads.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openBucket, openTwo } from './open-machines.ts';

uploadsConformance('SQLite and local disk', async () => {
  const store = await openTestRegistry();
  return { registry: store.as('tester'), as: store.as, close: () => store.close() };
});

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

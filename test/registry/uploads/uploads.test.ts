import { uploadsConformance } from '../../../src/registry/conformance/uploads.ts';
import { openTestRegistry } from '../open-registry.ts';

uploadsConformance('SQLite and local disk', async () => {
  // Of what comes whole, some is committed with the log, and some takes the direct way.
  const store = await openTestRegistry({ ARTIFACTSTORE_SMALL_OBJECT_BYTES: '16384' });
  return { registry: store.as('tester'), as: store.as, close: () => store.close() };
});

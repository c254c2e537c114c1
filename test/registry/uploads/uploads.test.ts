import { uploadsConformance } from '../../../src/registry/conformance/uploads.ts';
import { openTestRegistry } from '../open-registry.ts';

uploadsConformance('SQLite and local disk', async () => {
  const store = await openTestRegistry();
  return { registry: store.as('tester'), as: store.as, close: () => store.close() };
});

import { writeSessionsConformance } from '../../../src/registry/conformance/write-sessions.ts';
import { openTestRegistry } from '../open-registry.ts';

writeSessionsConformance('in process, SQLite and local disk', async () => {
  const store = await openTestRegistry();
  return { registry: store.as('tester'), as: store.as, close: () => store.close() };
});

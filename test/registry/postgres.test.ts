import { registryConformance } from '../../src/registry/conformance.ts';
import { startPostgres } from '../postgres-server.ts';
import { openTestRegistry } from './open-registry.ts';

registryConformance('in process, PostgreSQL and local disk', async () => {
  const server = await startPostgres();
  const store = await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() });
  return {
    registry: store.as('tester'),
    async close() {
      await store.close();
      await server.stop();
    },
  };
});

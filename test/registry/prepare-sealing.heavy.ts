import { startPostgres } from '../postgres-server.ts';
import { sealingCases } from './prepare-sealing-cases.ts';
import { openTwoBackends } from './two-backends.ts';

sealingCases('PostgreSQL', async () => {
  const server = await startPostgres();
  const store = await openTwoBackends({ databaseUrl: await server.createDatabase() });
  return {
    ...store,
    async close() {
      await store.close();
      await server.stop();
    },
  };
});

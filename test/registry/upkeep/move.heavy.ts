import { after, before, describe } from 'node:test';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { openTwoBackends } from '../two-backends.ts';
import { moveCases } from './move-cases.ts';

describe('PostgreSQL', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  moveCases('PostgreSQL', async () => openTwoBackends({ databaseUrl: await server.createDatabase() }));
});

import { after, before, describe } from 'node:test';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { openTestRegistry } from '../open-registry.ts';
import { postgresDamage, rescueCases } from './rescue-cases.ts';

describe('PostgreSQL', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  rescueCases('PostgreSQL', async () => {
    const url = await server.createDatabase();
    return { store: await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: url }), damage: postgresDamage(url) };
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startPostgres } from '../postgres-server.ts';
import { soak } from './soak.ts';

/** `ARTIFACTSTORE_TEST_SOAK_REQUESTS` asks for more or fewer. */
const requests = Number(process.env.ARTIFACTSTORE_TEST_SOAK_REQUESTS ?? 100_000);

describe(`${requests} requests of eight producers to two servers, beside collections without a pause`, () => {
  it('on SQLite', async (context) => {
    const result = await soak({ databaseUrl: 'sqlite:./soak.db', operations: requests, seed: 1 });
    assert.ok(result.requests >= requests);
    context.diagnostic(JSON.stringify(result));
  });

  it('on PostgreSQL', async (context) => {
    const server = await startPostgres();
    try {
      const result = await soak({ databaseUrl: await server.createDatabase(), operations: requests, seed: 2 });
      assert.ok(result.requests >= requests);
      context.diagnostic(JSON.stringify(result));
    } finally {
      await server.stop();
    }
  });
});

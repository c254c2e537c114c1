import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startPostgres } from '../postgres-server.ts';
import { soak } from './soak.ts';

/** `ARTIFACTSTORE_TEST_SOAK_REQUESTS` asks for more or fewer. */
const requests = Number(process.env.ARTIFACTSTORE_TEST_SOAK_REQUESTS ?? 100_000);
/** Contents have up to 600 bytes: half of the files are held, the others go into their backend first. */
const bothWays = { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '300' };

describe(`${requests} requests of eight producers to two servers, beside collections without a pause`, () => {
  it('on SQLite', async (context) => {
    const result = await soak({ databaseUrl: 'sqlite:./soak.db', operations: requests, seed: 1, environment: bothWays });
    assert.ok(result.requests >= requests);
    context.diagnostic(JSON.stringify(result));
  });

  it('on PostgreSQL', async (context) => {
    const server = await startPostgres();
    try {
      const result = await soak({ databaseUrl: await server.createDatabase(), operations: requests, seed: 2, environment: bothWays });
      assert.ok(result.requests >= requests);
      context.diagnostic(JSON.stringify(result));
    } finally {
      await server.stop();
    }
  });
});

import { test } from 'node:test';
import { openDatabase } from '../../../src/database/open.ts';
import { startPostgres } from '../../postgres-server.ts';
import type { OperationsWithSets } from '../operations-with-sets.ts';
import { setsProperty } from './sets-property.ts';

const operations = { url: new URL('../operations-with-sets.ts', import.meta.url) };

test('a set does what its inputs do one by one, with PostgreSQL too', async () => {
  const server = await startPostgres();
  try {
    await setsProperty(
      async () =>
        openDatabase<OperationsWithSets>({ kind: 'postgresql', url: await server.createDatabase() }, { operations, migrate: true }),
      Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 4),
    );
  } finally {
    await server.stop();
  }
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Role } from '../../../../src/kernel/access.ts';
import { startPostgres } from '../../../postgres-server.ts';
import { tell } from './unseen-cases.ts';

const server = await startPostgres();
after(() => server.stop());

const databases = {
  SQLite: async () => ({}),
  PostgreSQL: async () => ({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() }),
};
for (const [database, environment] of Object.entries(databases))
  for (const role of ['reader', 'writer'] satisfies Role[])
    test(`that another producer has the same bytes, a ${role} of one is told by nothing on ${database}`, async () => {
      const [alone, beside] = await Promise.all([tell(role, false, await environment()), tell(role, true, await environment())]);
      for (const [index, told] of beside.entries()) assert.deepEqual(told, alone[index]);
      assert.equal(beside.length, alone.length);
    });

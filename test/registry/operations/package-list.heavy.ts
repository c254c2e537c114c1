import { after, test } from 'node:test';
import { connect } from '../../../src/database/postgres/connection.ts';
import { postgresQueries } from '../../../src/database/postgres/dialect.ts';
import { openPostgres } from '../../../src/database/postgres/postgres.ts';
import { operationsUrl } from '../../../src/registry/operations/url.ts';
import { startPostgres } from '../../postgres-server.ts';
import { compareLists, fillPackages, findOldOnes, passOverOthers } from './package-list-cases.ts';

const server = await startPostgres();
const url = await server.createDatabase();
await (await openPostgres({ connectionString: url, operations: { url: operationsUrl }, migrate: true })).close();
const connection = await connect({ url, readOnly: false });
const database = postgresQueries(connection);
const rows = await fillPackages(database, 1);
after(async () => {
  await connection.close();
  await server.stop();
});

test('PostgreSQL: lists of any scope and filters have what a look at each package finds, page by page', () =>
  compareLists(database, rows, 3, 60));

test('PostgreSQL: few packages below many of others are found in one read', () => findOldOnes(database));

test('PostgreSQL: what others have between the packages of many producers is not looked at', () => passOverOthers(database));

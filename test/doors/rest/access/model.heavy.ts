import { after } from 'node:test';
import { startPostgres } from '../../../postgres-server.ts';
import { accessModelCases } from './model-cases.ts';

const seed = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const server = await startPostgres();
after(() => server.stop());

accessModelCases('SQLite', seed, 20);
accessModelCases('PostgreSQL', seed + 1, 20, async () => ({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() }));

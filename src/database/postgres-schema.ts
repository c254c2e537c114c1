import { ArtifactstoreError } from '../kernel/error.ts';
import { systemClock } from './clock.ts';
import { applyMigrations, missingMigrations } from './migrations/migrations.ts';
import { connect, type PostgresConnection } from './postgres-connection.ts';
import { postgresQueries } from './postgres-dialect.ts';

/** Processes that migrate or replay take turns by it: the ASCII of "artifact". */
const advisoryLock = '7021802841870951284';

/** Brings the schema up to date in one transaction; the names of what was applied. */
export async function migrateSchema(connectionString: string): Promise<readonly string[]> {
  const { client, close } = await connect(connectionString);
  try {
    await client.query('begin');
    await exclude(client);
    const applied = await applyMigrations('postgres', postgresQueries(client), systemClock);
    await client.query('commit');
    return applied;
  } finally {
    await close();
  }
}

/** Waits for the other processes that change the schema, and keeps them out until the transaction ends. */
export async function exclude(connection: PostgresConnection): Promise<void> {
  await connection.query(`select pg_advisory_xact_lock(${advisoryLock})`);
}

/** The registry's id. Refuses a schema that is older or newer than this code. */
export async function requireSchema(connection: PostgresConnection): Promise<string> {
  const [found] = (await connection.query("select to_regclass('schema_migrations')::text as name")).rows as {
    readonly name: string | null;
  }[];
  if (found?.name == null) throw notMigrated('The database has no tables yet');
  const queries = postgresQueries(connection);
  const missing = await missingMigrations(queries);
  if (missing.length > 0) throw notMigrated(`The database lacks ${missing.join(', ')}`);
  return (await queries.selectFrom('registry').select('id').executeTakeFirstOrThrow()).id;
}

function notMigrated(what: string): ArtifactstoreError {
  return new ArtifactstoreError('database_not_migrated', `${what}; run \`artifactstore migrate\`.`);
}

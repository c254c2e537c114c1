import { systemClock } from '../clock.ts';
import { notOurs, refuseForeign, tooOld } from '../foreign.ts';
import { applyMigrations, missingMigrations } from '../migrations/migrations.ts';
import { parsePostgresUrl } from './address.ts';
import { connect, type PostgresConnection, type PostgresTarget } from './connection.ts';
import { postgresQueries } from './dialect.ts';
import { serverName, unreachable } from './error.ts';

/** Processes that migrate or replay take turns by it: the ASCII of "artifact". */
const advisoryLock = '7021802841870951284';

/** Brings the schema up to date in one transaction; the names of what was applied. */
export async function migrateSchema(target: PostgresTarget): Promise<readonly string[]> {
  const connection = await connect(target);
  try {
    // Each statement sees what was committed before it: what a migration waited for, too.
    await connection.query('begin isolation level read committed');
    await exclude(connection);
    await isMigrated(connection, target);
    const applied = await applyMigrations('postgresql', postgresQueries(connection), systemClock);
    await connection.query('commit');
    return applied;
  } catch (error) {
    throw connection.isLost() ? unreachable(error, parsePostgresUrl(target.url)) : error;
  } finally {
    await connection.close();
  }
}

/** Waits for the other processes that change the schema, and keeps them out until the transaction ends. */
export async function exclude(connection: PostgresConnection): Promise<void> {
  await connection.query(`select pg_advisory_xact_lock(${advisoryLock})`);
}

/** The registry's id. Refuses a schema that is older or newer than this code, and a database of somebody else. */
export async function requireSchema(connection: PostgresConnection, target: PostgresTarget): Promise<string> {
  if (!(await isMigrated(connection, target))) throw notOurs(`${nameOf(target)} has no tables of artifactstore`);
  const queries = postgresQueries(connection);
  const missing = await missingMigrations(queries);
  if (missing.length > 0) throw tooOld(missing);
  return (await queries.selectFrom('registry').select('id').executeTakeFirstOrThrow()).id;
}

/** Whether migrations of ours ran here. Refuses a database of somebody else. */
async function isMigrated(connection: PostgresConnection, target: PostgresTarget): Promise<boolean> {
  const { rows } = await connection.query(
    "select 1 from pg_attribute where attrelid = to_regclass('schema_migrations') and attname = 'name' and not attisdropped",
  );
  if (rows.length > 0) return true;
  const tables = await connection.query(
    "select relname from pg_class where relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(oid) and relnamespace <> 'pg_catalog'::regnamespace",
  );
  refuseForeign(
    (tables.rows as { readonly relname: string }[]).map(({ relname }) => relname),
    nameOf(target),
  );
  return false;
}

function nameOf({ url }: PostgresTarget): string {
  const address = parsePostgresUrl(url);
  return `The database "${address.database}" of ${serverName(address)}`;
}

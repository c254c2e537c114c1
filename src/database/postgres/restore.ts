import { systemClock } from '../clock.ts';
import { asArtifactstoreError } from '../failure.ts';
import { fillLog, inUse, type RestoreTarget, requireNoLog } from '../fill.ts';
import { applyMigrations } from '../migrations/migrations.ts';
import { parsePostgresUrl } from './address.ts';
import { connect, type PostgresConnection } from './connection.ts';
import { postgresQueries } from './dialect.ts';
import { serverFault, unreachable } from './error.ts';
import { exclude } from './schema.ts';
import { postgresSession } from './session.ts';

export function postgresTarget(connectionString: string): RestoreTarget {
  async function requireEmpty(client: PostgresConnection): Promise<void> {
    const { rows } = await client.query(
      "select to_regclass('schema_migrations')::text as ours, to_regclass('events')::text as events, to_regclass('registry')::text as registry",
    );
    const { ours, events, registry } = rows[0] as Readonly<Record<'ours' | 'events' | 'registry', string | null>>;
    if (ours === null) {
      if (events !== null || registry !== null) throw inUse("it has tables that are not artifactstore's");
      return;
    }
    await requireNoLog({ sql: postgresQueries(client) }, systemClock.now());
  }

  async function within(body: (client: PostgresConnection) => Promise<void>): Promise<void> {
    const address = parsePostgresUrl(connectionString);
    const connection = await connect({ url: connectionString, readOnly: false });
    try {
      await body(connection);
    } catch (error) {
      if (connection.isLost()) throw unreachable(error, address);
      throw serverFault(error, address) ?? asArtifactstoreError(error);
    } finally {
      await connection.close();
    }
  }

  return {
    requireEmpty: () => within(requireEmpty),
    fill: (source) =>
      within(async (client) => {
        await client.query('begin isolation level read committed');
        await client.query('set local synchronous_commit = on');
        await exclude(client);
        await applyMigrations('postgresql', postgresQueries(client), systemClock);
        await client.query('lock table log_head in exclusive mode');
        await requireEmpty(client);
        await fillLog(postgresSession(client), source);
        await client.query('commit');
      }),
  };
}

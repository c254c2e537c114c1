import type { Config } from '../../config/config.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Health } from '../../registry/REGISTRY.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCode } from '../exit.ts';

export const health: Definition = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Looks at the database and the storage directly, without a server. Always prints
JSON. Ends with exit code 0 when all is well, 6 when the database can't be used,
else 1.

Example:
  $ artifactstore health | jq .status`,
    )
    .action(async () => {
      const given = context();
      const answer = await readHealth(given);
      given.output.text(`${JSON.stringify(answer, null, 2)}\n`);
      if (answer.status !== 'ok') given.exitWith(answer.db.healthy ? exitCode.failed : exitCode.unreachable);
    });
};

async function readHealth({ config, openStore, version }: Context): Promise<Health> {
  try {
    await using store = await openStore(config, {});
    return await store.as('health').health();
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    if (error.code.startsWith('database_'))
      return unopened(config, version, error.message, 'not looked at: the database could not be opened');
    // A backend can't be opened as it is configured; the database may be well.
    const db = await readDatabaseHealth(config, openStore);
    return { ...unopened(config, version, db.detail, error.message), db };
  }
}

async function readDatabaseHealth(config: Config, openStore: Context['openStore']): Promise<Health['db']> {
  try {
    await using store = await openStore(config, { parts: 'database' });
    return (await store.as('health').health()).db;
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    return { healthy: false, detail: error.message };
  }
}

function unopened(config: Config, version: string, detail: string, backendDetail: string): Health {
  const backends = config.backends.map(({ id }) => ({
    backend_id: id,
    healthy: false,
    detail: backendDetail,
    free_bytes: null,
    total_bytes: null,
    failed_locations: 0,
    held_objects: null,
    held_bytes: null,
  }));
  const backend = backends.find(({ backend_id }) => backend_id === config.defaultBackend)!;
  return {
    status: 'degraded',
    version,
    db: { healthy: false, detail },
    backend,
    backends,
    last_sequence: 0,
    clock: { healthy: true, detail: 'unknown' },
  };
}

import { resolve } from 'node:path';
import { type Config, readConfig } from '../config/config.ts';
import { openStore, type Store, type StoreOptions } from './open-store.ts';

export interface OpenRegistryOptions extends StoreOptions {
  /** Where an embedded registry keeps everything: `artifactstore.db` and `storage/`. Made when it is not there. */
  readonly directory?: string;
  /** A whole configuration instead, as `readConfig` gives it; without it and without a directory, the environment's. */
  readonly config?: Config;
}

/**
 * Opens a registry in this process. An embedded one (SQLite) brings its schema up to date by itself; PostgreSQL is
 * migrated when `migrate` asks for it. `store.as('name')` gives the registry as that actor sees and changes it.
 */
export async function openRegistry(options: OpenRegistryOptions = {}): Promise<Store> {
  const config = options.config ?? (options.directory === undefined ? readConfig() : embedded(options.directory));
  return await openStore(config, { migrate: config.database.kind === 'sqlite', ...options });
}

function embedded(directory: string): Config {
  const root = resolve(directory);
  return readConfig(
    { ARTIFACTSTORE_DATABASE_URL: `sqlite:${root}/artifactstore.db`, ARTIFACTSTORE_STORAGE_LOCAL_ROOT: `${root}/storage` },
    { directory: root },
  );
}

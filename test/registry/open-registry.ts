import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from '../../src/compose/open-store.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import type { Incident } from '../../src/registry/upkeep/OPERATOR.ts';
import type { LocalBackendConfig } from '../../src/storage/local/kind.ts';
import { removeFolder } from '../remove-folder.ts';

/** A real registry in a temporary directory: SQLite and a local backend, or whatever `environment` says instead. */
export interface TestRegistry extends Store {
  readonly directory: string;
  readonly config: Config;
  /** What the log would have been told. */
  readonly incidents: readonly Incident[];
  /** Closes and opens it again on the same directory, with more or other settings. */
  reopen(environment?: Readonly<Record<string, string>>): Promise<TestRegistry>;
}

/** Where the local backend keeps its objects. */
export function localRoot(config: Config): string {
  const local = config.backends.find((backend): backend is LocalBackendConfig => backend.kind === 'local');
  if (local === undefined) throw new Error('no local backend is configured');
  return local.root;
}

/** `files` are written into the directory before it opens. */
export async function openTestRegistry(
  environment: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
  options: Pick<StoreOptions, 'quotaOf'> = {},
): Promise<TestRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return await openAt(directory, environment, options);
}

async function openAt(
  directory: string,
  environment: Readonly<Record<string, string>>,
  options: Pick<StoreOptions, 'quotaOf'>,
): Promise<TestRegistry> {
  const config = readConfig(environment, { directory });
  const incidents: Incident[] = [];
  const store = await openStore(config, { migrate: true, ...options, onIncident: (incident) => incidents.push(incident) });
  const close = async () => {
    await store.close();
    await removeFolder(directory);
  };
  return {
    ...store,
    directory,
    config,
    incidents,
    close,
    [Symbol.asyncDispose]: close,
    async reopen(changed = {}) {
      await store.close();
      return await openAt(directory, { ...environment, ...changed }, options);
    },
  };
}

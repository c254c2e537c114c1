import type { ServedStoreOptions } from '../serve/serve-store.ts';
import type { Context, OpenStore } from './context.ts';

/**
 * Opens the store to serve it: an embedded database is migrated, a shared one must have been. Secrets that backends
 * would miss later are missed now, all at once.
 */
export async function openServed({ config, openStore }: Context, options: ServedStoreOptions): Promise<OpenStore> {
  return await openStore(config, { migrate: config.database.kind === 'sqlite', checkSecrets: true, givesAddresses: true, ...options });
}

import { requireReferences } from '../secrets/check/references.ts';
import { kindOf } from '../storage/kind.ts';
import { backendKinds } from '../storage/kinds.ts';
import { refuseMisplaced, type StoreConfig, storeOfSecrets } from './open-store.ts';

/**
 * What can be told of a configuration before anything is opened with it. Errors: `invalid_configuration`, with all that
 * is wrong with what settings refer to, a store of secrets that does not answer too; and the first certificate of a
 * backend that a server would not take.
 */
export async function checkConfig(config: StoreConfig): Promise<void> {
  refuseMisplaced(config, {});
  const secrets = storeOfSecrets(config);
  try {
    const references = config.backends.flatMap((backend) => kindOf(backend, backendKinds).secretReferences?.(backend) ?? []);
    await requireReferences(references, config.referenced, secrets);
    for (const backend of config.backends) await kindOf(backend, backendKinds).requireFit?.(backend);
  } finally {
    await secrets?.close();
  }
}

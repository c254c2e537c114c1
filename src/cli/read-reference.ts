import type { Config } from '../config/config.ts';
import type { ReadReference } from '../identity/sign-in/client.ts';
import { openSecrets } from '../secrets/open.ts';
import { followReference } from '../secrets/reference.ts';

/** Follows what the access file refers to: `env:`, `file:`, and `secret:` where a store of secrets is set. */
export function referenceReader(
  { secrets: { store, auth, namespace }, referenced }: Pick<Config, 'secrets' | 'referenced'>,
  environment: Readonly<Record<string, string | undefined>>,
): ReadReference {
  return async (reference) => {
    const isFar = reference.startsWith('secret:') && store !== undefined;
    const secrets = isFar ? openSecrets(store, { environment: referenced, auth, namespace }) : undefined;
    try {
      return await followReference(reference, { ...environment, ...referenced }, secrets);
    } finally {
      await secrets?.close();
    }
  };
}

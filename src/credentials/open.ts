import { ArtifactstoreError } from '../kernel/error.ts';
import { openSecrets } from '../secrets/open.ts';
import { parseSecretsPlace } from '../secrets/place.ts';
import type { Secrets, VaultAuth } from '../secrets/SECRETS.ts';
import type { Credentials, CredentialsConfig, GenerationConfig } from './CREDENTIALS.ts';
import { generationCredentials } from './generation.ts';
import { staticCredentials } from './static.ts';
import type { OnUnread } from './unread.ts';
import { webIdentityCredentials } from './web-identity.ts';

export interface OpenCredentials {
  readonly region: string;
  /** What the names of its settings begin with, for messages. */
  readonly variables: string;
  /** Where `env:` references are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where `secret:` references are looked up; undefined where there is no store. */
  readonly secrets?: Secrets | undefined;
  /** Told of a place of keys that cannot be read for a while, although there are keys. */
  readonly onUnread?: OnUnread | undefined;
  /** How a vault is shown who asks, where the backend names no token of its own. */
  readonly vault?: { readonly auth: VaultAuth; readonly namespace: string | undefined };
}

/** The credentials that a configuration describes. Nothing is asked for before keys are. */
export function openCredentials(config: CredentialsConfig, options: OpenCredentials): Credentials {
  const { region, variables, environment, secrets, onUnread } = options;
  if (config.kind === 'web-identity') return webIdentityCredentials({ ...config, region, variables });
  if (config.kind === 'generation') {
    const setting = `${variables}GENERATIONS`;
    // A Vault is asked less often than a directory is looked at.
    const checkMilliseconds = config.store.startsWith('vault:') ? 10_000 : 1000;
    return generationCredentials(storeOf(config, setting, options), { role: config.role, setting, checkMilliseconds, onUnread });
  }
  const { accessKeyRef, secretKeyRef, sessionTokenRef } = config;
  return staticCredentials({ accessKeyRef, secretKeyRef, sessionTokenRef, variables }, { environment, secrets, onUnread });
}

function storeOf({ store, storeTokenRef }: GenerationConfig, setting: string, { environment, vault }: OpenCredentials): Secrets {
  try {
    const own: VaultAuth = { method: 'token', tokenRef: storeTokenRef };
    const auth = storeTokenRef === '' ? (vault?.auth ?? own) : own;
    return openSecrets(parseSecretsPlace(store), { environment, auth, namespace: vault?.namespace });
  } catch (error) {
    throw new ArtifactstoreError('invalid_configuration', `${setting}: ${(error as Error).message}.`, { field: setting, cause: error });
  }
}

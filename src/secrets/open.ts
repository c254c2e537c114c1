import { directorySecrets } from './directory.ts';
import { environmentSecrets } from './environment.ts';
import type { Secrets, SecretsConfig, VaultAuth } from './SECRETS.ts';
import { vaultSecrets } from './vault/vault.ts';

export interface OpenSecrets {
  /** The variables of the store `env`, and where `env:` references are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly auth: VaultAuth;
  readonly namespace: string | undefined;
  /** Whether a directory may have nothing in it yet; false where absent. */
  readonly mayBeEmpty?: boolean;
}

/** The store that a configuration describes. Nothing is asked for before a secret is. */
export function openSecrets(config: SecretsConfig, { environment, auth, namespace, mayBeEmpty = false }: OpenSecrets): Secrets {
  if (config.kind === 'environment') return environmentSecrets(environment);
  if (config.kind === 'directory') return directorySecrets(config.path, { mayBeEmpty });
  return vaultSecrets(config, { auth, namespace, environment });
}

import { parseSecretsPlace } from '../secrets/place.ts';
import type { SecretsConfig, VaultAuth } from '../secrets/SECRETS.ts';
import type { Settings } from './settings.ts';

/** Where secrets are kept that are looked up by name, and how a vault is shown who asks. */
export interface SecretsSettings {
  /** Undefined where no store was named. */
  readonly store: SecretsConfig | undefined;
  readonly auth: VaultAuth;
  readonly namespace: string | undefined;
}

export function readSecrets(settings: Settings): SecretsSettings {
  const store = settings.parsed('SECRETS', '', (text) => (text === '' ? undefined : parseSecretsPlace(text)));
  const method = settings.oneOf('VAULT_AUTH', 'token', ['token', 'approle', 'kubernetes', 'jwt']) as VaultAuth['method'];
  const mount = settings.parsed('VAULT_AUTH_MOUNT', method, mountOf);
  const role = settings.text('VAULT_ROLE', '');
  // A reference that is missing shows when a vault is asked: other commands need none.
  const tokenRef = settings.reference('VAULT_TOKEN_REF') ?? '';
  const roleIdRef = settings.reference('VAULT_ROLE_ID_REF') ?? '';
  const secretIdRef = settings.reference('VAULT_SECRET_ID_REF') ?? '';
  const tokenFile = settings.text('VAULT_JWT_FILE', '/var/run/secrets/kubernetes.io/serviceaccount/token');
  const namespace = settings.text('VAULT_NAMESPACE', '') || undefined;
  settings.refuseForeignSecrets(['SECRETS'], ['VAULT_TOKEN_REF', 'VAULT_ROLE_ID_REF', 'VAULT_SECRET_ID_REF', 'VAULT_JWT_FILE']);
  if (store?.kind === 'vault' && (method === 'kubernetes' || method === 'jwt') && role === '')
    settings.refuse('VAULT_ROLE', `is needed with ARTIFACTSTORE_VAULT_AUTH=${method}`);
  return { store, auth: authOf(), namespace };

  function authOf(): VaultAuth {
    if (method === 'token') return { method, tokenRef };
    return method === 'approle' ? { method, mount, roleIdRef, secretIdRef } : { method, mount, role, tokenFile };
  }
}

function mountOf(text: string): string {
  const mount = text.replace(/^auth\//, '').replace(/\/$/, '');
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/.test(mount)) return mount;
  throw new Error('must be the path below auth/ at which the method is mounted');
}

import { ArtifactstoreError } from '../../kernel/error.ts';
import { isJsonObject, type JsonObject } from '../../kernel/format/json-value.ts';
import { unavailable } from '../failure.ts';
import { followReference } from '../reference.ts';
import type { VaultAuth } from '../SECRETS.ts';
import type { Asker } from './ask.ts';

export interface TokenSource {
  /** One that is good now, as far as is known. Errors: `secrets_forbidden`, `secrets_unavailable`. */
  token(): Promise<string>;
  /** Says that the server refused this token; answers whether asking for another may help. */
  refused(token: string): boolean;
}

export interface LoginOptions {
  readonly auth: VaultAuth;
  readonly asker: Asker;
  readonly place: string;
  /** Where `env:` references are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

/**
 * The token that goes with every question: one that is given, read again when it was refused, since an agent replaces
 * the file; or one that is logged in for, and again before it ends. However many ask, one logs in.
 */
export function createTokenSource(options: LoginOptions): TokenSource {
  const { auth, now } = options;
  let held: { readonly token: string; readonly until: number } | undefined;
  let getting: Promise<string> | undefined;

  async function get(): Promise<string> {
    if (auth.method === 'token') held = { token: await follow(options, auth.tokenRef, 'ARTIFACTSTORE_VAULT_TOKEN_REF'), until: Infinity };
    else held = await logIn(options, auth);
    return held.token;
  }

  return {
    async token() {
      if (held !== undefined && now() < held.until) return held.token;
      getting ??= get().finally(() => {
        getting = undefined;
      });
      return await getting;
    },
    refused(token) {
      if (held?.token === token) held = undefined;
      return auth.method !== 'token' || auth.tokenRef.startsWith('file:');
    },
  };
}

async function logIn(options: LoginOptions, auth: Exclude<VaultAuth, { method: 'token' }>): Promise<{ token: string; until: number }> {
  const { asker, place, now } = options;
  const askedAt = now();
  const path = `auth/${auth.mount.split('/').map(encodeURIComponent).join('/')}/login`;
  const { status, body, said } = await asker.ask({ method: 'POST', path, body: await proofOf(options, auth) });
  const who = auth.method === 'approle' ? 'the role and secret id of AppRole' : `the token and the role "${auth.role}"`;
  if (said === 'no_route' || status === 404)
    throw unavailable(place, `has no login at auth/${auth.mount}`, 'look at ARTIFACTSTORE_VAULT_AUTH_MOUNT');
  if (status >= 400 && status < 500)
    throw new ArtifactstoreError('secrets_forbidden', `The secret store ${place} does not take ${who} (${status}) at auth/${auth.mount}.`, {
      field: 'ARTIFACTSTORE_VAULT_AUTH',
      info: { hint: 'have they expired, been used up, or bound to another address or audience? Its audit log says more' },
    });
  const given = isJsonObject(body.auth) ? body.auth : {};
  const { client_token: token, lease_duration: seconds } = given;
  if (typeof token !== 'string' || token === '')
    throw unavailable(place, 'answers a login without a token', 'is the address that of the Vault, with its port?');
  const life = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : Infinity;
  return { token, until: askedAt + life - Math.min(aheadMilliseconds, life === Infinity ? 0 : life / 3) };
}

const aheadMilliseconds = 30_000;

async function proofOf(options: LoginOptions, auth: Exclude<VaultAuth, { method: 'token' }>): Promise<JsonObject> {
  if (auth.method !== 'approle')
    return { role: auth.role, jwt: await follow(options, `file:${auth.tokenFile}`, 'ARTIFACTSTORE_VAULT_JWT_FILE') };
  return {
    role_id: await follow(options, auth.roleIdRef, 'ARTIFACTSTORE_VAULT_ROLE_ID_REF'),
    secret_id: await follow(options, auth.secretIdRef, 'ARTIFACTSTORE_VAULT_SECRET_ID_REF'),
  };
}

async function follow({ environment }: LoginOptions, reference: string, setting: string): Promise<string> {
  const found = await followReference(reference, environment);
  if ('value' in found) return found.value;
  throw new ArtifactstoreError('invalid_configuration', `${setting}: ${found.problem}.`, {
    field: setting,
    info: { hint: `set ${setting}; commands with --store take --store-token-ref env:NAME or file:/path as well` },
  });
}

import type { ClientAuth, Configuration, CustomFetch } from 'openid-client';
import type { ConsoleClient, IssuerConfig } from '../oidc/issuer-config.ts';
import { isThisMachine } from '../oidc/issuer-url.ts';
import { issuerFetch } from './issuer-fetch.ts';
import { signInUnavailable } from './refusal.ts';

/** What a reference leads to, or why it leads nowhere. */
export type ReadReference = (reference: string) => Promise<{ readonly value: string } | { readonly problem: string }>;

/** An issuer with its console. */
export type SignInIssuer = IssuerConfig & { readonly console: ConsoleClient };

/** An issuer says of itself that it may change; and it is not asked by each stranger who begins to sign in. */
const keptMilliseconds = 300_000;
const failureKeptMilliseconds = 5_000;
const longestSeconds = 10;

/**
 * This server as a client of an issuer, by what the issuer says of itself: asked once for all who sign in meanwhile.
 * Errors: `identity_unavailable`.
 */
export function keepClients(read: ReadReference, now: () => number): (issuer: SignInIssuer) => Promise<Configuration> {
  const kept = new Map<string, { readonly client: Promise<Configuration>; until: number }>();
  return (issuer) => {
    const key = JSON.stringify(Object.entries(issuer).sort());
    const known = kept.get(key);
    if (known !== undefined && now() < known.until) return known.client;
    for (const [old, { until }] of kept) if (now() >= until) kept.delete(old);
    const entry = { client: discover(issuer, read), until: now() + keptMilliseconds };
    kept.set(key, entry);
    entry.client.catch(() => {
      entry.until = now() + failureKeptMilliseconds;
    });
    return entry.client;
  };
}

async function discover({ name, issuer, audience, caFile, console }: SignInIssuer, read: ReadReference): Promise<Configuration> {
  const { allowInsecureRequests, customFetch, discovery } = await import('openid-client');
  const secret = await secretOf(name, console, read);
  const address = new URL(issuer);
  const client = await discovery(address, audience, undefined, await authenticationBy(secret), {
    [customFetch]: issuerFetch(name, caFile) as CustomFetch,
    timeout: longestSeconds,
    // http is taken from this machine alone, as the file was read.
    execute: address.protocol === 'http:' && isThisMachine(address.hostname) ? [allowInsecureRequests] : [],
  });
  if (client.serverMetadata().issuer !== issuer) throw signInUnavailable(name, 'its discovery document is of another issuer');
  return client;
}

/** How the issuer takes the secret, it says of itself; where it does not, by Basic (RFC 8414, section 2). */
async function authenticationBy(secret: string | undefined): Promise<ClientAuth> {
  const { ClientSecretBasic, ClientSecretPost, None } = await import('openid-client');
  if (secret === undefined) return None();
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, ...rest) => {
    const { token_endpoint_auth_methods_supported: methods } = server;
    return (methods === undefined || methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

async function secretOf(name: string, { clientSecret }: ConsoleClient, read: ReadReference): Promise<string | undefined> {
  if (clientSecret === undefined) return undefined;
  const found = await read(clientSecret);
  if ('value' in found) return found.value;
  throw signInUnavailable(name, `its client_secret: ${found.problem}`);
}

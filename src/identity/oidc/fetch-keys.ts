import { type FetchOptions, fetchDocument } from './fetch-document.ts';
import type { IssuerConfig } from './issuer-config.ts';
import { discoveryUrl, keysUrlFault } from './issuer-url.ts';
import { type KeySet, keySetOf, maximumKeys } from './key-set.ts';
import { unavailable } from './refusal.ts';

/** Where the keys of an issuer come from: tables with the same origin share them. */
export type KeyOrigin = Pick<IssuerConfig, 'name' | 'issuer' | 'jwksUrl' | 'caFile'>;

/**
 * Reads the keys of an issuer: where its table says, or else where its discovery document says (OpenID Connect
 * Discovery 1.0, section 4). Both in the time that the signal gives. Errors: `identity_unavailable`.
 */
export async function fetchKeys(origin: KeyOrigin, signal: AbortSignal): Promise<KeySet> {
  const { name, caFile } = origin;
  const url = origin.jwksUrl ?? (await discoverKeysUrl(origin, { name, caFile, signal, what: 'its discovery document' }));
  const keys = keySetOf(await fetchDocument(url, { name, caFile, signal, what: 'its keys' }));
  if (keys === undefined) throw unavailable(name, `what it publishes is no set of keys (JWK Set), or has more than ${maximumKeys} keys`);
  return keys;
}

async function discoverKeysUrl({ name, issuer }: KeyOrigin, options: FetchOptions): Promise<string> {
  const document = await fetchDocument(discoveryUrl(issuer), options);
  // Section 4.3: otherwise one issuer could speak for another.
  if (document.issuer !== issuer) throw unavailable(name, 'its discovery document is of another issuer');
  const { jwks_uri: url } = document;
  if (typeof url !== 'string') throw unavailable(name, 'its discovery document does not say where its keys are ("jwks_uri")');
  const fault = keysUrlFault(url);
  if (fault !== undefined) throw unavailable(name, `the address of its keys in its discovery document ${fault}`);
  if (issuer.startsWith('https:') && !url.startsWith('https:'))
    throw unavailable(name, 'its discovery document comes over https, and says that its keys do not');
  return url;
}

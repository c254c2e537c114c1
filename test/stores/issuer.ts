import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import { selfSignedCertificate } from './certificate.ts';

/** An OpenID Connect issuer in this process. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** As Ceph wants it with the provider: the SHA-1 of the signing certificate. */
  readonly thumbprint: string;
  readonly audience: string;
  /** What the issuer's own token endpoint gives a client. */
  clientToken(): Promise<string>;
  /** A token with a subject, an end and claims of one's own, signed by the same key. */
  sign(subject: string, seconds?: number, claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** For tests that make a token once and use it to their end, however slow the machine is. */
export const longestTokenSeconds: number = 6 * 3600;

const client = { client_id: 'artifactstore-server', client_secret: 'only-for-tests' } as const;
const audience = 'urn:artifactstore:storage';

/**
 * Its key is published with its certificate (`x5c`), and first: Ceph before 20 reads nothing else. Tests that take long
 * say for how long tokens of its endpoint live.
 */
export async function startIssuer(tokenSeconds = 600): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = selfSignedCertificate(publicKey, privateKey, 'token signing');
  const kid = randomUUID();
  const key = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig', x5c: [certificate.toString('base64')] };
  let answer = (_request: IncomingMessage, response: ServerResponse): unknown => response.writeHead(503).end();
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    jwks: { keys: [key] },
    clients: [{ ...client, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: () => ({
          scope: 'storage',
          audience,
          accessTokenTTL: tokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    ttl: { ClientCredentials: tokenSeconds },
    extraTokenClaims: (_context, token) => (token.kind === 'ClientCredentials' ? { sub: client.client_id } : {}),
  });
  answer = provider.callback();

  return {
    url,
    audience,
    thumbprint: new X509Certificate(certificate).fingerprint.replaceAll(':', ''),
    async clientToken() {
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope: 'storage' }),
      });
      const { access_token } = (await response.json()) as { readonly access_token?: string };
      if (access_token === undefined) throw new Error(`the issuer answered ${response.status}`);
      return access_token;
    },
    async sign(subject, seconds = 600, more = {}) {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: url, sub: subject, aud: audience, iat: now, exp: now + seconds, jti: randomUUID(), ...more };
      return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(privateKey);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import { Provider } from 'oidc-provider';

/** An OpenID Connect issuer where people have names, and any password is right. */
export interface PeopleIssuer extends AsyncDisposable {
  readonly url: string;
  /** Stops to answer, as if it were not there; or answers again. */
  away(isAway: boolean): void;
  /** ID tokens from now on live so long; 600 s before that. */
  lasting(seconds: number): void;
}

export const clientId = 'artifactstore-console';

export interface PeopleOptions {
  readonly redirectUris: readonly string[];
  /** Of a confidential client. */
  readonly secret?: string;
}

export async function startPeopleIssuer({ redirectUris, secret }: PeopleOptions): Promise<PeopleIssuer> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' };
  let answer = (_request: IncomingMessage, response: ServerResponse): unknown => response.writeHead(503).end();
  let isAway = false;
  let lifetime = 600;
  const server = createServer((request, response) => {
    if (isAway) request.socket.destroy();
    else void answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    jwks: { keys: [key] },
    clients: [
      {
        client_id: clientId,
        application_type: 'native',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [...redirectUris],
        ...(secret === undefined ? { token_endpoint_auth_method: 'none' } : { client_secret: secret }),
      },
    ],
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
    ttl: { IdToken: () => lifetime, AccessToken: 600, Interaction: 600, Session: 600, Grant: 600 },
    cookies: { keys: ['only for tests'] },
  });
  answer = provider.callback();
  return {
    url,
    away(value) {
      isAway = value;
    },
    lasting(seconds) {
      lifetime = seconds;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/**
 * Stands for a platform that gives its jobs tokens: as strict as GitHub's public description of its endpoint
 * ("OpenID Connect reference"), with the discovery and keys that an issuer shows, on this machine.
 */
export interface JobPlatform extends AsyncDisposable {
  readonly issuer: string;
  /** What a job of GitHub has in its environment. */
  readonly variables: Readonly<Record<'ACTIONS_ID_TOKEN_REQUEST_URL' | 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', string>>;
  /** The audiences that were asked for, of requests that were answered. */
  readonly asked: readonly string[];
  /** How long a token lives; GitHub's live for five minutes. */
  seconds: number;
  /** Answers of the endpoint to come, before it works again: a status, and the body. */
  readonly failures: (readonly [status: number, body: string])[];
  /** A token with these claims, as GitLab puts one into the environment of a job; those of GitHub where absent. */
  sign(audience: string, claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Of a job of GitHub, by its documented example. */
const githubClaims = {
  sub: 'repo:acme/app:ref:refs/heads/main',
  repository: 'acme/app',
  repository_id: '12345',
  repository_owner: 'acme',
  repository_owner_id: '67',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  event_name: 'push',
  run_id: '8901',
  run_attempt: '1',
  job_workflow_ref: 'acme/app/.github/workflows/ci.yml@refs/heads/main',
  runner_environment: 'github-hosted',
};

export async function openJobPlatform(): Promise<JobPlatform> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const kid = randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const requestToken = `request-${randomUUID()}`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tokenPath = `/${randomUUID()}//idtoken/${randomUUID()}/${randomUUID()}`;

  const platform: JobPlatform = {
    issuer,
    variables: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}${tokenPath}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    },
    asked,
    seconds: 300,
    failures: [],
    sign: (audience, claims = githubClaims) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setNotBefore(now - 600)
        .setExpirationTime(now + platform.seconds)
        .setJti(randomUUID())
        .sign(privateKey);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return platform;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer);
    const json = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
    };
    if (url.pathname === '/.well-known/openid-configuration')
      return json(200, { issuer, jwks_uri: `${issuer}/.well-known/jwks`, id_token_signing_alg_values_supported: ['RS256'] });
    if (url.pathname === '/.well-known/jwks') return json(200, { keys: [jwk] });
    if (url.pathname !== tokenPath) return json(404, { message: 'Not Found' });
    const failure = platform.failures.shift();
    if (failure !== undefined) return void response.writeHead(failure[0]).end(failure[1]);
    if (request.method !== 'GET') return json(405, { message: 'The requested resource does not support this method.' });
    if (request.headers.authorization !== `Bearer ${requestToken}`) return json(401, { message: 'Unauthorized' });
    if (url.searchParams.get('api-version') !== '2.0') return json(400, { message: 'No api-version was supplied.' });
    const audience = url.searchParams.get('audience') ?? 'https://github.com/acme';
    asked.push(audience);
    const value = await platform.sign(audience);
    json(200, { count: value.length, value });
  }
}

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { type IssuerConfig, issuerDefaults } from '../../../src/identity/oidc/issuer-config.ts';
import type { VerifiedToken } from '../../../src/identity/oidc/OIDC.ts';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';

/** A key pair, and how it is published. */
export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly published: JWK;
}

/** An issuer whose keys, answers and tokens are what a test makes them. It signs with real keys. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  /** The paths that it was asked for. */
  readonly asked: string[];
  /** What it publishes; the first one signs. */
  keys: TestKey[];
  /** Answers in its place. */
  instead: RequestListener | undefined;
  readonly config: IssuerConfig;
  /** Good for ten minutes, but for what is said here; `undefined` leaves a claim or a member of the header out. */
  sign(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>, key?: TestKey): Promise<string>;
  /** Stops listening, as if it were gone; and comes back at the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export const audience = 'https://artifacts.example.org';

export async function makeKey(kid: string | undefined = randomUUID()): Promise<TestKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey,
    publicKey,
    published: { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', ...(kid === undefined ? {} : { kid }) },
  };
}

export async function startTestIssuer(now: () => number): Promise<TestIssuer> {
  const server = createServer((request, response) => {
    issuer.asked.push(request.url ?? '');
    if (issuer.instead !== undefined) return issuer.instead(request, response);
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
      '/keys': { keys: issuer.keys.map(({ published }) => published) },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(document ?? {}));
  });
  let port = 0;
  const up = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const down = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  await up();
  const url = `http://127.0.0.1:${port}`;
  const issuer: TestIssuer = {
    url,
    asked: [],
    keys: [await makeKey()],
    instead: undefined,
    config: { ...issuerDefaults, name: 'ci', issuer: url, audience, jwksUrl: undefined, caFile: undefined, algorithms: ['ES256'] },
    async sign(claims, header, key = issuer.keys[0]!) {
      const second = Math.floor(now() / 1000);
      const body = { iss: url, aud: audience, sub: 'job 1', jti: randomUUID(), iat: second, nbf: second, exp: second + 600, ...claims };
      const head = { alg: key.published.alg, kid: key.published.kid, typ: 'JWT', ...header };
      return await new SignJWT(withoutUndefined(body))
        .setProtectedHeader(withoutUndefined(head) as JWTHeaderParameters)
        .sign(key.privateKey);
    },
    down,
    up,
    [Symbol.asyncDispose]: down,
  };
  return issuer;
}

function withoutUndefined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Holds that no answer comes but this error. */
export async function endsWith(answer: VerifiedToken | Promise<VerifiedToken>, code: ErrorCode, reason: RegExp): Promise<void> {
  await assert.rejects(
    async () => await answer,
    (error: unknown) => {
      assert.ok(isArtifactstoreError(error, code), String(error));
      assert.match(error.message, reason);
      return true;
    },
  );
}

/** A token of any text, with whatever signature. */
export function compact(header: unknown, payload: unknown, signature: string | ((signed: string) => string) = 'AAAA'): string {
  const [head, body] = [header, payload].map((part) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'),
  );
  const signed = `${head}.${body}`;
  return `${signed}.${typeof signature === 'string' ? signature : signature(signed)}`;
}

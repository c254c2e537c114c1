import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, signInHeader } from '../../src/protocol/aws-signature.ts';
import { startDirectoryStore } from './directory-store.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { minio } from './kinds.ts';
import { keyPrefix } from './place.ts';
import type { RealStore } from './store.ts';
import type { Exchange } from './web-identity.ts';

/** A MinIO that trusts an issuer in both of its ways: one client's tokens name their policy, the other's have one. */
export interface MinioIdentity extends AsyncDisposable {
  readonly store: RealStore;
  readonly issuer: Issuer;
  /** One for each way, and nothing else is within reach of its keys. */
  readonly buckets: Readonly<Record<Way, string>>;
  /** Of the way by role: `arn:minio:iam:::role/` and a digest of the client's name. */
  readonly roleArn: string;
  /** A token, in a file of its own, that was made for one of the ways. */
  exchange(way: Way, token?: string): Promise<Exchange>;
  /** What the issuer signs for the way by role, where no audience is given. */
  token(audience?: string, claims?: Readonly<Record<string, unknown>>, seconds?: number): Promise<string>;
  /** What anybody signs who knows the secret of the client. */
  forged(secret: string): string;
}

export type Way = 'role' | 'claim';
export const clients: Readonly<Record<Way, string>> = { role: 'artifactstore-role', claim: 'artifactstore-claim' };
const policies: Readonly<Record<Way, string>> = { role: 'of-the-role', claim: 'of-the-claim' };

/** Secrets of the two clients; the exchange needs neither. */
export async function startMinioIdentity(secrets: Readonly<Record<Way, string>>): Promise<MinioIdentity> {
  await using starting = new AsyncDisposableStack();
  const issuer = starting.use(await startIssuer());
  const provider = (suffix: string, client: Way, more: Readonly<Record<string, string>>) => ({
    [`MINIO_IDENTITY_OPENID_ENABLE${suffix}`]: 'on',
    [`MINIO_IDENTITY_OPENID_CONFIG_URL${suffix}`]: `${issuer.url}/.well-known/openid-configuration`,
    [`MINIO_IDENTITY_OPENID_CLIENT_ID${suffix}`]: clients[client],
    [`MINIO_IDENTITY_OPENID_CLIENT_SECRET${suffix}`]: secrets[client],
    ...more,
  });
  const kind = {
    ...minio,
    start: (...given: Parameters<typeof minio.start>) => {
      const line = minio.start(...given);
      const environment = {
        ...line.environment,
        ...provider('', 'claim', { MINIO_IDENTITY_OPENID_CLAIM_NAME: 'policy' }),
        ...provider('_ROLE', 'role', { MINIO_IDENTITY_OPENID_ROLE_POLICY_ROLE: policies.role }),
      };
      return { ...line, environment };
    },
  };
  const store = starting.use(await startDirectoryStore(kind));
  const buckets = { role: await store.createBucket(), claim: await store.createBucket() };
  for (const way of ['role', 'claim'] as const) await addPolicy(store, policies[way], buckets[way]);
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-token-'));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  const roleArn = `arn:minio:iam:::role/${createHash('sha1').update(clients.role).digest('base64url')}`;
  const token: MinioIdentity['token'] = (audience = clients.role, claims = {}, seconds = 3600) =>
    issuer.sign('artifactstore', seconds, { aud: audience, ...claims });
  const running = starting.move();
  return {
    store,
    issuer,
    buckets,
    roleArn,
    token,
    async exchange(way, given) {
      const tokenFile = join(directory, randomUUID());
      const own = way === 'role' ? token() : token(clients.claim, { policy: [policies.claim] });
      await writeFile(tokenFile, given ?? (await own), { mode: 0o600 });
      return { roleArn: way === 'role' ? roleArn : undefined, stsEndpointUrl: store.url, tokenFile };
    },
    forged(secret) {
      // Written out: libraries refuse to sign with an empty secret.
      const exp = Math.floor(Date.now() / 1000) + 600;
      const parts = [
        { alg: 'HS256', typ: 'JWT', kid: clients.claim },
        { sub: 'somebody', aud: clients.claim, policy: policies.claim, exp },
      ];
      const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What a server needs, below its prefix of this bucket only. */
async function addPolicy(store: RealStore, name: string, bucket: string): Promise<void> {
  const objects = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
  const body = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Resource: [`arn:aws:s3:::${bucket}/${keyPrefix}/*`], Action: objects },
      { Effect: 'Allow', Resource: [`arn:aws:s3:::${bucket}`], Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'] },
    ],
  });
  const { host } = new URL(store.url);
  const path = '/minio/admin/v3/add-canned-policy';
  const { headers, query } = signInHeader({
    method: 'PUT',
    path,
    query: { name },
    headers: { host },
    payload: sha256(body),
    date: new Date(),
    region: store.region,
    keys: store.keys,
  });
  const answer = await fetch(`${store.url}${path}?${query}`, { method: 'PUT', headers, body });
  if (!answer.ok) throw new Error(`MinIO answered ${answer.status} to a policy: ${await answer.text()}`);
}

import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256, signInHeader } from '../../src/protocol/aws-signature.ts';
import { startDirectoryStore } from './directory-store.ts';
import { minio } from './kinds.ts';
import { keyPrefix } from './place.ts';
import type { RealStore } from './store.ts';
import type { Exchange } from './web-identity.ts';

/** By the policy of a role, or by the policy that a claim of the token names. */
export type Way = 'role' | 'claim';

export interface OpenidClient {
  readonly id: string;
  /** The exchange needs none. */
  readonly secret: string;
}

/** A MinIO that trusts an issuer in both of its ways: one client's tokens name their policy, the other's have one. */
export interface MinioOpenid extends AsyncDisposable {
  readonly store: RealStore;
  /** One for each way, and nothing else is within reach of its keys. */
  readonly buckets: Readonly<Record<Way, string>>;
  /** Of the way by role: `arn:minio:iam:::role/` and a digest of the client's name. */
  readonly roleArn: string;
  /** A token, in a file of its own, that is shown in one of the ways. */
  exchange(way: Way, token: string): Promise<Exchange>;
}

/** What the claim `policy` of a token names, in the way by claim. */
export const policies: Readonly<Record<Way, string>> = { role: 'of-the-role', claim: 'of-the-claim' };

export async function startMinioOpenid(issuer: string, clients: Readonly<Record<Way, OpenidClient>>): Promise<MinioOpenid> {
  await using starting = new AsyncDisposableStack();
  const provider = (suffix: string, client: OpenidClient, more: Readonly<Record<string, string>>) => ({
    [`MINIO_IDENTITY_OPENID_ENABLE${suffix}`]: 'on',
    [`MINIO_IDENTITY_OPENID_CONFIG_URL${suffix}`]: `${issuer}/.well-known/openid-configuration`,
    [`MINIO_IDENTITY_OPENID_CLIENT_ID${suffix}`]: client.id,
    [`MINIO_IDENTITY_OPENID_CLIENT_SECRET${suffix}`]: client.secret,
    ...more,
  });
  const kind = {
    ...minio,
    start: (...given: Parameters<typeof minio.start>) => {
      const line = minio.start(...given);
      const environment = {
        ...line.environment,
        ...provider('', clients.claim, { MINIO_IDENTITY_OPENID_CLAIM_NAME: 'policy' }),
        ...provider('_ROLE', clients.role, { MINIO_IDENTITY_OPENID_ROLE_POLICY_ROLE: policies.role }),
      };
      return { ...line, environment };
    },
  };
  const store = starting.use(await startDirectoryStore(kind));
  const buckets = { role: await store.createBucket(), claim: await store.createBucket() };
  for (const way of ['role', 'claim'] as const) await addPolicy(store, policies[way], buckets[way]);
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-token-'));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  const roleArn = `arn:minio:iam:::role/${createHash('sha1').update(clients.role.id).digest('base64url')}`;
  const running = starting.move();
  return {
    store,
    buckets,
    roleArn,
    async exchange(way, token) {
      const tokenFile = join(directory, randomUUID());
      await writeFile(tokenFile, token, { mode: 0o600 });
      return { roleArn: way === 'role' ? roleArn : undefined, stsEndpointUrl: store.url, tokenFile };
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
  const until = Date.now() + 60_000;
  for (;;) {
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
    const said = await answer.text();
    if (answer.ok) return;
    // S3 is there before policies and users are: MinIO asks the issuer in between.
    const comes = answer.status === 503 && said.includes('XMinioServerNotInitialized');
    if (!comes || Date.now() > until) throw new Error(`MinIO answered ${answer.status} to a policy: ${said}`);
    await sleep(100);
  }
}

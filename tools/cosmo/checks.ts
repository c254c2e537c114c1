/**
 * What Cosmo's own code finds of the store that the variables name: started by run.ts in the folder of one generation,
 * with tsx. The class of the controlplane writes and deletes, the cdn at CDN_URL reads. Prints a list as JSON.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SignJWT } from 'jose';
import type { CosmoCheck } from './cosmo-check.ts';

/** As far as it is used here; the class itself is Cosmo's. */
interface BlobStorage {
  putObject(object: {
    readonly key: string;
    readonly body: Buffer;
    readonly contentType: string;
    readonly metadata?: Readonly<Record<string, string>>;
  }): Promise<void>;
  getObject(object: { readonly key: string }): Promise<{ readonly metadata?: Readonly<Record<string, string>> }>;
  deleteObject(object: { readonly key: string }): Promise<void>;
  removeDirectory(folder: { readonly key: string }): Promise<number>;
}

interface ClientOptions {
  readonly url: string;
  readonly region: string;
  readonly username: string;
  readonly password: string;
  readonly forcePathStyle: true;
}

const place = process.cwd();
const need = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);
const own = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(place, path)).href)) as T;
const { S3BlobStorage, BlobNotFoundError } = await own<{
  readonly S3BlobStorage: new (client: object, bucket: string, config?: { readonly useIndividualDeletes: boolean }) => BlobStorage;
  readonly BlobNotFoundError: new () => Error;
}>('controlplane/src/core/blobstorage/index.ts');
const { createS3ClientConfig, extractS3BucketName } = await own<{
  createS3ClientConfig(bucket: string, options: ClientOptions): object;
  extractS3BucketName(options: ClientOptions): string;
}>('cdn-server/src/utils.ts');
const { S3Client } = createRequire(join(place, 'package.json'))('@aws-sdk/client-s3') as {
  readonly S3Client: new (config: object) => { destroy(): void };
};

const options: ClientOptions = {
  url: need('S3_STORAGE_URL'),
  region: need('S3_REGION'),
  username: need('S3_ACCESS_KEY_ID'),
  password: need('S3_SECRET_ACCESS_KEY'),
  forcePathStyle: true,
};
const bucket = extractS3BucketName(options);
const client = new S3Client(createS3ClientConfig(bucket, options));
const storage = new S3BlobStorage(client, bucket);
const [organization, graph, other] = [randomUUID(), randomUUID(), randomUUID()];
const at = (path: string): string => `${organization}/${graph}/${path}`;
const contentType = 'application/json; charset=utf-8';
const put = async (key: string, body: string | Buffer, metadata?: Readonly<Record<string, string>>): Promise<void> =>
  await storage.putObject({ key, body: Buffer.from(body), contentType, ...(metadata === undefined ? {} : { metadata }) });

async function tokenOf(secret: string, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const payload = { organization_id: organization, federated_graph_id: graph, features: ['split-config-loading'], ...claims };
  return await new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(new TextEncoder().encode(secret));
}
const token = await tokenOf(need('AUTH_JWT_SECRET'));
const admission = await tokenOf(need('AUTH_ADMISSION_JWT_SECRET'));

async function ask(
  path: string,
  init: { readonly body?: object; readonly headers?: Readonly<Record<string, string>>; readonly as?: string } = {},
) {
  const { body, headers = {}, as = token } = init;
  const response = await fetch(`${need('CDN_URL')}/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${as}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const configuration = (version: string): string => JSON.stringify({ version, engineConfig: { datasources: [] } });

/** Name, which checks of `store probe` answer for it, and what is done; it throws where it does not hold. */
const checks: readonly (readonly [string, readonly string[], () => Promise<void>])[] = [
  [
    'controlplane: a draft is written, deleted, and deleted again',
    ['cosmo.write', 'cosmo.delete'],
    async () => {
      await put(at('routerconfigs/draft.json'), configuration('0'), { version: '0', 'signature-sha256': '' });
      const { status, text } = await ask(at('routerconfigs/draft.json'), { as: admission });
      assert.deepEqual([status, text], [200, configuration('0')]);
      for (const _ of [1, 2]) await storage.deleteObject({ key: at('routerconfigs/draft.json') });
    },
  ],
  [
    'controlplane: what is missing is a BlobNotFoundError',
    ['cosmo.missing'],
    async () => void (await assert.rejects(storage.getObject({ key: at('none.json') }), BlobNotFoundError)),
  ],
  [
    'cdn: a graph without a configuration is 404',
    ['cosmo.missing'],
    async () => {
      assert.equal((await ask(at('routerconfigs/latest.json'), { body: {} })).status, 404);
      assert.equal((await ask(at('routerconfigs/latest.json'), { body: { version: '1' } })).status, 404);
    },
  ],
  [
    'cdn: the first configuration, unsigned',
    ['cosmo.write', 'cosmo.read'],
    async () => {
      await put(at('routerconfigs/latest.json'), configuration('1'), { version: '1', 'signature-sha256': '' });
      const { status, headers, text } = await ask(at('routerconfigs/latest.json'), { body: {} });
      assert.deepEqual([status, text, headers.get('x-signature-sha256')], [200, configuration('1'), null]);
    },
  ],
  [
    'cdn: 304 for the version that a router has',
    ['cosmo.metadata'],
    async () => assert.equal((await ask(at('routerconfigs/latest.json'), { body: { version: '1' } })).status, 304),
  ],
  [
    'cdn: the next configuration, with its signature',
    ['cosmo.metadata', 'cosmo.swap'],
    async () => {
      const signature = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83v+/8=';
      await put(at('routerconfigs/latest.json'), configuration('2'), { version: '2', 'signature-sha256': signature });
      const { status, headers, text } = await ask(at('routerconfigs/latest.json'), { body: { version: '1' } });
      assert.deepEqual([status, text, headers.get('x-signature-sha256')], [200, configuration('2'), signature]);
    },
  ],
  [
    'cdn: a configuration of a version of routers',
    ['cosmo.read'],
    async () => {
      await put(at('routerconfigs/v1/latest.json'), configuration('v1'), { version: '1', 'signature-sha256': '' });
      assert.equal((await ask(at('routerconfigs/1/latest.json'), { body: {} })).text, configuration('v1'));
    },
  ],
  [
    'cdn: a configuration of 3 MiB',
    ['cosmo.write-long'],
    async () => {
      const long = JSON.stringify({ version: '3', text: 'x'.repeat(3_145_728) });
      await put(at('routerconfigs/latest.json'), long, { version: '3', 'signature-sha256': '' });
      assert.equal((await ask(at('routerconfigs/latest.json'), { body: { version: '2' } })).text, long);
    },
  ],
  [
    'cdn: the manifest of operations, by its ETag',
    ['cosmo.metadata', 'cosmo.read'],
    async () => {
      const version = 'a'.repeat(64);
      await put(at('operations/manifest.json'), '{"version":1}', { version });
      const first = await ask(at('operations/manifest.json'));
      assert.deepEqual([first.status, first.headers.get('etag')?.replace('W/', '')], [200, `"${version}"`]);
      assert.equal((await ask(at('operations/manifest.json'), { headers: { 'if-none-match': `"${version}"` } })).status, 304);
    },
  ],
  [
    'cdn: an operation of a client with a percent sign in its key',
    ['cosmo.percent'],
    async () => {
      const name = encodeURIComponent('my client');
      await put(at(`operations/${name}/1.json`), '{"body":"a"}');
      assert.equal((await ask(at(`operations/${encodeURIComponent(name)}/1.json`))).text, '{"body":"a"}');
    },
  ],
  [
    'cdn: a warm-up of caches, and a check of a subgraph',
    ['cosmo.read'],
    async () => {
      await put(at('cache_warmup/operations.json'), '{"operations":[]}');
      await put(`${organization}/subgraph_checks/${other}.json`, '{}');
      assert.equal((await ask(at('cache_warmup/operations.json'))).status, 200);
      assert.equal((await ask(`${organization}/subgraph_checks/${other}.json`)).status, 200);
    },
  ],
  [
    'cdn: a configuration in parts',
    ['cosmo.metadata', 'cosmo.read'],
    async () => {
      for (const part of ['mapper', 'latest', 'feature-flags/a']) {
        await put(at(`manifest/${part}.json`), `{"part":"${part}"}`, { version: part });
        assert.equal((await ask(at(`manifest/${part}.json`), { body: {} })).text, `{"part":"${part}"}`);
        assert.equal((await ask(at(`manifest/${part}.json`), { body: { version: part } })).status, 304);
      }
    },
  ],
  [
    'cdn: another token, and another graph, get nothing',
    [],
    async () => {
      const foreign = await tokenOf('another-secret-of-32-characters!');
      assert.equal((await ask(at('routerconfigs/latest.json'), { body: {}, as: foreign })).status, 401);
      assert.equal((await ask(`${organization}/${other}/routerconfigs/latest.json`, { body: {} })).status, 400);
    },
  ],
  [
    'controlplane: a deleted client takes the client with a longer name with it',
    ['cosmo.delete-graph', 'cosmo.delete-many'],
    async () => {
      const keys = Array.from({ length: 1205 }, (_, index) => at(`operations/${index < 5 ? 'webapp' : 'web'}/${index}.json`));
      for (let from = 0; from < keys.length; from += 20) await Promise.all(keys.slice(from, from + 20).map((key) => put(key, '{}')));
      assert.equal(await storage.removeDirectory({ key: at('operations/web') }), 1205);
      for (const key of [keys[0]!, keys[1204]!]) await assert.rejects(storage.getObject({ key }), BlobNotFoundError);
    },
  ],
  [
    'controlplane: three are deleted one by one, where the setting says so',
    ['cosmo.delete'],
    async () => {
      const single = new S3BlobStorage(client, bucket, { useIndividualDeletes: true });
      for (const name of ['a', 'b', 'c']) await put(at(`operations/single/${name}.json`), '{}');
      assert.equal(await single.removeDirectory({ key: at('operations/single') }), 3);
    },
  ],
  [
    'controlplane: a deleted graph leaves its neighbour',
    ['cosmo.prefix', 'cosmo.delete-many'],
    async () => {
      const neighbour = `${organization}/${other}/routerconfigs/latest.json`;
      await put(neighbour, configuration('1'), { version: '1', 'signature-sha256': '' });
      assert.ok((await storage.removeDirectory({ key: `${organization}/${graph}` })) > 5);
      assert.equal((await ask(at('routerconfigs/latest.json'), { body: {} })).status, 404);
      assert.equal((await storage.getObject({ key: neighbour })).metadata?.version, '1');
    },
  ],
  [
    'controlplane: a deleted organization leaves nothing',
    ['cosmo.prefix', 'cosmo.delete-many'],
    async () => {
      assert.equal(await storage.removeDirectory({ key: organization }), 2);
      assert.equal(await storage.removeDirectory({ key: organization }), 0);
    },
  ],
];

const results: CosmoCheck[] = [];
for (const [name, probed, run] of checks)
  try {
    await run();
    results.push({ name, probed, holds: true, detail: '' });
  } catch (error) {
    results.push({
      name,
      probed,
      holds: false,
      detail: (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 4).join(' '),
    });
  }
// What a check that failed has left.
await storage.removeDirectory({ key: organization }).catch(() => undefined);
client.destroy();
process.stdout.write(`${JSON.stringify(results)}\n`);
process.exit(0);

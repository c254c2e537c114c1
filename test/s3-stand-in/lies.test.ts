import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { answerOf, type RawRequest, sendRaw, startRaw } from './signed-request.ts';
import { clientOf } from './store-client.ts';
import { type Lie, type Lies, lies, openStrictStore, type StrictStore } from './strict-store.ts';

const Bucket = 'artifacts';
const Key = 'key';
const put: RawRequest = { method: 'PUT', path: '/artifacts/key', body: 'bytes' };
const get: RawRequest = { path: '/artifacts/key' };
const hour = 3_600_000;

interface Probe {
  readonly store: StrictStore;
  readonly client: S3Client;
  /** Lets the clock of the store go on. */
  pass(milliseconds: number): void;
}

/** For each lie: whether a store was caught at it. */
const probes: { readonly [lie in Lie]: (probe: Probe) => Promise<boolean> } = {
  async nonAtomicConditionalCreate({ store }) {
    const race = await Promise.all(['a', 'b'].map((body) => sendRaw(store, { ...put, body, headers: { 'if-none-match': '*' } })));
    return race.filter(({ status }) => status === 200).length === 2;
  },
  async ignoredConditionalCreate({ store }) {
    await sendRaw(store, put);
    return (await sendRaw(store, { ...put, body: 'other', headers: { 'if-none-match': '*' } })).status === 200;
  },
  async ignoredConditionOnComplete({ store, client }) {
    await sendRaw(store, put);
    return succeeds(complete(client, ['new'], { IfNoneMatch: '*' }));
  },
  truncatedRange: async ({ store }) => (await range(store)).body === 'y' && (await range(store)).headers['content-length'] === '1',
  ignoredRange: async ({ store }) => (await range(store)).status === 200 && (await range(store)).body === 'bytes',
  wrongRangeOffset: async ({ store }) => (await range(store)).status === 206 && (await range(store)).body === 'te',
  async ignoredObjectLock({ store, client }) {
    await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
    const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(Date.now() + hour) } as const;
    const { VersionId } = await client.send(
      new PutObjectCommand({ Bucket: 'locked', Key, Body: 'x', ChecksumAlgorithm: 'SHA256', ...lock }),
    );
    const path = '/locked/key';
    const query = `versionId=${VersionId}`;
    assert.equal((await sendRaw(store, { path, query })).headers['x-amz-object-lock-mode'], 'COMPLIANCE');
    return (await sendRaw(store, { method: 'DELETE', path, query })).status === 204;
  },
  async staleList({ store, client, pass }) {
    await sendRaw(store, put);
    const soon = await keysIn(client);
    pass(lag * 2);
    assert.deepEqual(await keysIn(client), [Key]);
    return soon.length === 0;
  },
  async staleRead({ store, pass }) {
    await sendRaw(store, put);
    pass(lag * 2);
    await sendRaw(store, { ...put, body: 'newer' });
    const soon = (await sendRaw(store, get)).body;
    pass(lag * 2);
    assert.equal((await sendRaw(store, get)).body, 'newer');
    return soon === 'bytes';
  },
  async ambiguousComplete({ store, client }) {
    const done = await succeeds(complete(client, ['new']));
    return !done && store.object(Bucket, Key)?.body.toString() === 'new' && store.uploads(Bucket).length === 0;
  },
  async completeAnswers200WithError({ store, client }) {
    const uploadId = await upload(client, ['new']);
    const body =
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>22af645d1859cb5ca6da0c484f1f37ea</ETag></Part></CompleteMultipartUpload>';
    const answer = await sendRaw(store, { method: 'POST', path: '/artifacts/key', query: `uploadId=${uploadId}`, body });
    assert.equal(answer.status, 200, answer.body);
    return answer.code === 'InternalError' && store.object(Bucket, Key) === undefined;
  },
  notImplementedOnChecksums: async ({ store }) => (await sendRaw(store, withChecksum('y/U6HA=='))).status === 501,
  ignoredChecksums: async ({ store }) => (await sendRaw(store, withChecksum('AAAAAA=='))).status === 200,
  async ignoredContentMd5({ store }) {
    return (await sendRaw(store, { ...put, headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } })).status === 200;
  },
  ignoredContentSha256: async ({ store }) => (await sendRaw(store, { ...put, payload: '0'.repeat(64) })).status === 200,
  async presignedHeadersObeyed({ store }) {
    await sendRaw(store, { ...put, path: '/artifacts/secret', body: 'secret' });
    const loose = { 'x-amz-copy-source': '/artifacts/secret', 'x-amz-acl': 'public-read' };
    const { status } = await sendRaw(store, { ...put, body: '', expires: 60, loose });
    const now = store.object(Bucket, Key);
    return status === 200 && now?.body.toString() === 'secret' && now.acl === 'public-read';
  },
  async presignedLengthIgnored({ store }) {
    const { request } = startRaw(store, { ...put, expires: 60, headers: { 'content-length': '5' } });
    const url = store.url + request.path;
    request.on('error', () => {}).destroy();
    assert.equal((await fetch(url, { method: 'PUT', body: 'bytes' })).status, 200);
    return (await fetch(url, { method: 'PUT', body: 'more bytes' })).status === 200;
  },
  expiredPresignAccepted: async ({ store }) =>
    (await sendRaw(store, { ...put, expires: 60, date: new Date(Date.now() - hour) })).status === 200,
  async abortKeepsParts({ store, client }) {
    const UploadId = await upload(client, ['part']);
    assert.equal((await sendRaw(store, { method: 'DELETE', path: '/artifacts/key', query: `uploadId=${UploadId}` })).status, 204);
    return succeeds(client.send(new ListPartsCommand({ Bucket, Key, UploadId })));
  },
  async mixedUpPartOrder({ store, client }) {
    await complete(client, ['first ', 'second']);
    return store.object(Bucket, Key)?.body.toString() === 'secondfirst ';
  },
  async lostMetadata({ store }) {
    await sendRaw(store, { ...put, headers: { 'x-amz-meta-name': 'value', 'content-type': 'text/x' } });
    const { headers } = await sendRaw(store, get);
    return headers['x-amz-meta-name'] === undefined && headers['content-type'] !== 'text/x';
  },
  async normalisedKeys({ store }) {
    await sendRaw(store, { ...put, path: '/artifacts/a%252Fb%2Bc' });
    return store.objects(Bucket)[0] === 'a/b c';
  },
  async listTruncatedAt1000({ store, client }) {
    const names = Array.from({ length: 1001 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    for (const name of names) store.place(Bucket, name, 'x');
    const first = await client.send(new ListObjectsV2Command({ Bucket }));
    assert.equal(first.Contents?.length, 1000);
    assert.equal(store.objects(Bucket).length, 1001);
    return first.IsTruncated === false && first.NextContinuationToken === undefined;
  },
  deleteNotIdempotent: async ({ store }) => (await sendRaw(store, { method: 'DELETE', path: '/artifacts/nothing' })).status === 404,
  noSuchKeyAs200Empty: async ({ store }) => (await sendRaw(store, get)).status === 200,
  notFoundAsHtml: async ({ store }) => (await sendRaw(store, get)).code !== 'NoSuchKey',
  skewAccepted: async ({ store }) => (await sendRaw(store, { ...put, date: new Date(Date.now() - hour) })).status === 200,
  badSignatureAccepted: async ({ store }) => (await sendRaw(store, { ...put, secretAccessKey: 'another' })).status === 200,
  foreignBucketReadable: async ({ store }) => (await sendRaw(store, { path: '/theirs', query: 'list-type=2' })).status === 200,
  async expectContinueHangs({ store }) {
    const { request, body } = startRaw(store, { ...put, loose: { expect: '100-continue' } });
    request.on('continue', () => request.end(body)).flushHeaders();
    const answer = answerOf(request).then(
      () => 'answered',
      () => 'cut',
    );
    const first = await Promise.race([answer, delay(1_000, 'hangs')]);
    request.destroy();
    return first === 'hangs';
  },
  async acceptsShortBody({ store }) {
    const { request } = startRaw(store, { ...put, loose: { 'content-length': '10' } });
    const answer = answerOf(request);
    request.write('bytes');
    while (store.requests.PutObject !== 1) await delay(1);
    request.destroy();
    await assert.rejects(answer);
    await delay(20);
    return store.object(Bucket, Key)?.body.length === 5;
  },
};

/** Of what is seen by the store's own clock, which this process may be behind; and of what waits. */
const lag = 60_000;
const waitMilliseconds = 300;

for (const [lie, what] of Object.entries(lies)) {
  test(`${lie}: ${what}; and the strict store does not`, async () => {
    const probe = probes[lie as Lie];
    assert.equal(await caught(probe, {}), false, 'the strict store lies');
    assert.equal(
      await caught(probe, { [lie]: true, lagMilliseconds: lie.startsWith('stale') ? lag : waitMilliseconds }),
      true,
      'the lying store does not',
    );
  });
}

async function caught(probe: (probe: Probe) => Promise<boolean>, told: Lies): Promise<boolean> {
  let ahead = 0;
  const clock = (): number => Date.now() + ahead;
  await using store = await openStrictStore({ minimumPartBytes: 1, foreignBuckets: ['theirs'], lies: told, clock });
  const client = clientOf(store);
  try {
    const pass = (milliseconds: number): void => {
      ahead += milliseconds;
    };
    return await probe({ store, client, pass });
  } finally {
    client.destroy();
  }
}

async function range(store: StrictStore): ReturnType<typeof sendRaw> {
  await sendRaw(store, put);
  return sendRaw(store, { ...get, headers: { range: 'bytes=1-2' } });
}

function withChecksum(sum: string): RawRequest {
  return { ...put, headers: { 'x-amz-checksum-crc32': sum } };
}

async function keysIn(client: S3Client): Promise<readonly (string | undefined)[]> {
  return ((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map((entry) => entry.Key);
}

/** Uploads the parts, the last one first. */
async function upload(client: S3Client, parts: readonly string[]): Promise<string | undefined> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  for (const [index, Body] of [...parts.entries()].reverse()) {
    await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1, Body }));
  }
  return UploadId;
}

async function complete(client: S3Client, parts: readonly string[], more: { readonly IfNoneMatch?: string } = {}): Promise<void> {
  const UploadId = await upload(client, parts);
  const { Parts } = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
  const chosen = (Parts ?? []).map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: chosen }, ...more }));
}

async function succeeds(action: Promise<unknown>): Promise<boolean> {
  return action.then(
    () => true,
    () => false,
  );
}

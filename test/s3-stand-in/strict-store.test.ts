import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import test from 'node:test';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { codeOf, failureOf } from './failure-of.ts';
import { clientOf, localNames } from './store-client.ts';
import { openStrictStore } from './strict-store.ts';

const Bucket = 'artifacts';
const Key = 'key';

test('an object comes back as it was put, with everything said about it', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const said = { ContentType: 'text/x', CacheControl: 'no-store', Metadata: { name: 'value' }, StorageClass: 'STANDARD_IA' } as const;
  const put = await client.send(
    new PutObjectCommand({ Bucket, Key, Body: 'bytes', ServerSideEncryption: 'AES256', ACL: 'private', ...said }),
  );
  assert.equal(put.ETag, `"${createHash('md5').update('bytes').digest('hex')}"`);
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  assert.equal(await got.Body?.transformToString(), 'bytes');
  const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
  for (const answer of [got, head]) {
    const { ContentType, CacheControl, Metadata, StorageClass, ContentLength, ServerSideEncryption } = answer;
    assert.deepEqual({ ContentType, CacheControl, Metadata, StorageClass }, said);
    assert.deepEqual([ContentLength, ServerSideEncryption, answer.ETag], [5, 'AES256', put.ETag]);
  }
  assert.equal(store.object(Bucket, Key)?.acl, 'private');
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
  assert.equal(await codeOf(client.send(new GetObjectCommand({ Bucket, Key }))), 'NoSuchKey');
  assert.equal(await codeOf(client.send(new HeadObjectCommand({ Bucket, Key }))), 'NotFound');
  assert.equal(
    await codeOf(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', StorageClass: 'NONE' as 'STANDARD' }))),
    'InvalidStorageClass',
  );
  assert.deepEqual(store.requests, { PutObject: 2, GetObject: 2, HeadObject: 2, DeleteObject: 2 });
});

test('with the defaults of the SDK, buffers and streams carry checksums, and reads show them', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store, { requestChecksumCalculation: 'WHEN_SUPPORTED', responseChecksumValidation: 'WHEN_SUPPORTED' });
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'bytes' }));
  assert.deepEqual(store.object(Bucket, Key)?.checksum, { algorithm: 'crc32', value: 'sZlDzg==', type: 'FULL_OBJECT' });
  const Body = Readable.from([Buffer.from('by'), Buffer.from('tes')]);
  await client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: 5 }));
  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'stream' }));
  assert.deepEqual([got.ChecksumCRC32, await got.Body?.transformToString()], ['sZlDzg==', 'bytes']);
  store.place(Bucket, 'stream', 'bytes');
  assert.equal((await client.send(new HeadObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }))).ChecksumCRC32, undefined);
});

test('digests and checksums of every kind bind the body', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const right = {
    ContentMD5: createHash('md5').update('123456789').digest('base64'),
    ChecksumCRC32: 'y/Q5Jg==',
    ChecksumCRC32C: '4waSgw==',
    ChecksumCRC64NVME: 'rosUhgp5mIg=',
    ChecksumSHA1: createHash('sha1').update('123456789').digest('base64'),
    ChecksumSHA256: createHash('sha256').update('123456789').digest('base64'),
  };
  for (const [name, value] of Object.entries(right)) {
    await client.send(new PutObjectCommand({ Bucket, Key: name, Body: '123456789', [name]: value }));
    const wrong = client.send(new PutObjectCommand({ Bucket, Key: 'wrong', Body: '12345678x', [name]: value }));
    assert.equal(await codeOf(wrong), 'BadDigest', name);
  }
  assert.equal(await codeOf(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ContentMD5: 'short' }))), 'InvalidDigest');
  assert.deepEqual(
    store.objects(Bucket),
    Object.keys(right).sort((a, b) => (a < b ? -1 : 1)),
  );
});

test('a range has three forms, and conditions and overrides are obeyed', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }));
  const read = async (more: Partial<GetObjectCommandInput>): Promise<string> => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return `${got.$metadata.httpStatusCode} ${got.ContentRange ?? ''} ${await got.Body?.transformToString()}`;
  };
  assert.equal(await read({ Range: 'bytes=2-4' }), '206 bytes 2-4/10 234');
  assert.equal(await read({ Range: 'bytes=7-' }), '206 bytes 7-9/10 789');
  assert.equal(await read({ Range: 'bytes=-2' }), '206 bytes 8-9/10 89');
  assert.equal(await read({ Range: 'bytes=8-99' }), '206 bytes 8-9/10 89');
  assert.equal(await read({ Range: 'bytes=4-2' }), '200  0123456789');
  assert.equal(await codeOf(read({ Range: 'bytes=10-' })), 'InvalidRange');
  assert.equal(await codeOf(read({ Range: 'bytes=-0' })), 'InvalidRange');
  assert.equal(await read({ IfMatch: ETag }), '200  0123456789');
  assert.equal(await codeOf(read({ IfMatch: '"other"' })), 'PreconditionFailed');
  assert.equal(await statusOf(read({ IfNoneMatch: ETag })), 304);
  assert.equal(await statusOf(read({ IfModifiedSince: new Date(Date.now() + 1000) })), 304);
  assert.equal(await codeOf(read({ IfUnmodifiedSince: new Date(0) })), 'PreconditionFailed');
  const shown = await client.send(new GetObjectCommand({ Bucket, Key, ResponseContentType: 'a/b', ResponseContentDisposition: 'inline' }));
  assert.deepEqual([shown.ContentType, shown.ContentDisposition], ['a/b', 'inline']);
});

test('a conditional write has one winner, and If-Match guards overwrites and deletes', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const race = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) => client.send(new PutObjectCommand({ Bucket, Key, Body: `writer ${index}`, IfNoneMatch: '*' }))),
  );
  const winners = race.flatMap((each, index) => (each.status === 'fulfilled' ? [index] : []));
  assert.equal(winners.length, 1);
  assert.equal(store.object(Bucket, Key)?.body.toString(), `writer ${winners[0]}`);
  assert.equal(await statusOf(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', IfNoneMatch: '*' }))), 412);
  assert.equal(await statusOf(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', IfMatch: '"other"' }))), 412);
  assert.equal(await codeOf(client.send(new PutObjectCommand({ Bucket, Key: 'none', Body: 'x', IfMatch: '"other"' }))), 'NoSuchKey');
  assert.equal(await statusOf(client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: '"other"' }))), 412);
  const IfMatch = `"${store.object(Bucket, Key)?.etag}"`;
  const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'next', IfMatch }));
  await client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: ETag }));
  assert.deepEqual(store.objects(Bucket), []);
});

test('a list has every key once, in the order of its bytes, on pages of any size', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const keys = ['a b+c%25', 'a\nb', 'b/1', 'b/2', 'b/c/3', 'c', 'd/4', '<&>"\'', '\uffee', '😀'];
  for (const key of keys) await client.send(new PutObjectCommand({ Bucket, Key: key, Body: key }));
  const inOrder = ['<&>"\'', 'a\nb', 'a b+c%25', 'b/1', 'b/2', 'b/c/3', 'c', 'd/4', '\uffee', '😀'];
  for (const MaxKeys of [1, 3, 1000]) assert.deepEqual(await listed(client, { MaxKeys }), inOrder);
  const encoded = await listed(client, { EncodingType: 'url', Prefix: 'a' });
  assert.deepEqual(encoded.map(decodeURIComponent), ['a\nb', 'a b+c%25']);
  for (const MaxKeys of [1, 2, 1000]) {
    assert.deepEqual(await listed(client, { Delimiter: '/', MaxKeys }), ['<&>"\'', 'a\nb', 'a b+c%25', 'b/', 'c', 'd/', '\uffee', '😀']);
    assert.deepEqual(await listed(client, { Delimiter: '/', Prefix: 'b/', MaxKeys }), ['b/1', 'b/2', 'b/c/']);
  }
  assert.deepEqual(await listed(client, { StartAfter: 'b/1', Prefix: 'b/' }), ['b/2', 'b/c/3']);
  assert.equal(await codeOf(client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'made-up' }))), 'InvalidArgument');
  for (let index = 0; index < 1001; index += 1) store.place(Bucket, `many/${index}`, 'x');
  const first = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'many/', MaxKeys: 5000 }));
  assert.deepEqual([first.KeyCount, first.MaxKeys, first.IsTruncated], [1000, 1000, true]);
  for (const key of keys) assert.equal(await contentOf(client, key), key);
});

test('copies keep or replace what is said of an object, and deletes of many tell each fate', async () => {
  await using store = await openStrictStore({ foreignBuckets: ['theirs'] });
  const client = clientOf(store);
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'bytes', Metadata: { a: '1' }, ContentType: 'a/b' }));
  const CopySource = `${Bucket}/${Key}`;
  await client.send(new CopyObjectCommand({ Bucket, Key: 'kept', CopySource }));
  await client.send(new CopyObjectCommand({ Bucket, Key: 'replaced', CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }));
  assert.deepEqual([store.object(Bucket, 'kept')?.metadata, store.object(Bucket, 'replaced')?.metadata], [{ a: '1' }, { b: '2' }]);
  assert.equal(await codeOf(client.send(new CopyObjectCommand({ Bucket, Key, CopySource }))), 'InvalidRequest');
  assert.equal(await codeOf(client.send(new CopyObjectCommand({ Bucket, Key: 'x', CopySource: 'theirs/key' }))), 'AccessDenied');
  assert.equal(await codeOf(client.send(new CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/none` }))), 'NoSuchKey');
  assert.equal(await statusOf(client.send(new CopyObjectCommand({ Bucket, Key: 'kept', CopySource, CopySourceIfMatch: '"other"' }))), 412);
  const Objects = [{ Key: 'kept' }, { Key: 'none' }, { Key: 'replaced', ETag: '"other"' }];
  const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.deepEqual(
    Deleted?.map((each) => each.Key),
    ['kept', 'none'],
  );
  assert.deepEqual(
    Errors?.map((each) => [each.Key, each.Code]),
    [['replaced', 'PreconditionFailed']],
  );
});

test('buckets are made, found, kept while they hold something, and foreign ones denied', async () => {
  await using store = await openStrictStore({ region: 'eu-north-1', foreignBuckets: ['theirs'] });
  const client = clientOf(store);
  const made = { Bucket: 'made', CreateBucketConfiguration: { LocationConstraint: 'eu-north-1' } } as const;
  await client.send(new CreateBucketCommand(made));
  assert.equal(await codeOf(client.send(new CreateBucketCommand(made))), 'BucketAlreadyOwnedByYou');
  assert.equal(await codeOf(client.send(new CreateBucketCommand({ ...made, Bucket: 'theirs' }))), 'BucketAlreadyExists');
  assert.equal((await client.send(new GetBucketLocationCommand({ Bucket: 'made' }))).LocationConstraint, 'eu-north-1');
  assert.equal((await client.send(new HeadBucketCommand({ Bucket: 'made' }))).BucketRegion, 'eu-north-1');
  assert.deepEqual(
    (await client.send(new ListBucketsCommand())).Buckets?.map((each) => each.Name),
    ['artifacts', 'made'],
  );
  assert.equal(await statusOf(client.send(new HeadBucketCommand({ Bucket: 'none' }))), 404);
  assert.equal(await statusOf(client.send(new HeadBucketCommand({ Bucket: 'theirs' }))), 403);
  assert.equal(await codeOf(client.send(new GetBucketPolicyCommand({ Bucket: 'made' }))), 'NotImplemented');
  store.place('made', Key, 'x');
  assert.equal(await codeOf(client.send(new DeleteBucketCommand({ Bucket: 'made' }))), 'BucketNotEmpty');
  await client.send(new DeleteObjectCommand({ Bucket: 'made', Key }));
  await client.send(new DeleteBucketCommand({ Bucket: 'made' }));
  assert.equal(await codeOf(client.send(new ListObjectsV2Command({ Bucket: 'made' }))), 'NoSuchBucket');
});

test('a bucket can be the name of the host', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store, { endpoint: store.virtualUrl, forcePathStyle: false, requestHandler: localNames() });
  await client.send(new PutObjectCommand({ Bucket, Key: 'a/b c', Body: 'bytes' }));
  assert.deepEqual(await listed(client, {}), ['a/b c']);
  assert.equal(await contentOf(client, 'a/b c'), 'bytes');
});

test('presigned URLs of the SDK work, and bind what they sign', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'a+b %', ContentLength: 5, Metadata: { a: 'b' } }), {
    expiresIn: 60,
  });
  assert.equal((await fetch(put, { method: 'PUT', body: 'bytes!' })).status, 403);
  assert.equal((await fetch(put, { method: 'PUT', body: 'bytes' })).status, 200);
  assert.deepEqual(store.object(Bucket, 'a+b %')?.metadata, { a: 'b' });
  const eager = clientOf(store, { requestChecksumCalculation: 'WHEN_SUPPORTED' });
  const ofNothing = await getSignedUrl(eager, new PutObjectCommand({ Bucket, Key }));
  assert.match(
    await (await fetch(ofNothing, { method: 'PUT', body: 'bytes' })).text(),
    /BadDigest/,
    'by default it signs the checksum of no bytes',
  );
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a+b %', ResponseContentType: 'x/y' }));
  const answer = await fetch(get, { headers: { range: 'bytes=1-2' } });
  assert.deepEqual([answer.status, answer.headers.get('content-type'), await answer.text()], [206, 'x/y', 'yt']);
});

async function listed(client: S3Client, input: Partial<ListObjectsV2CommandInput>): Promise<readonly string[]> {
  const found: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ...input, ContinuationToken }));
    const keys = (page.Contents ?? []).map((each) => each.Key ?? '');
    const prefixes = (page.CommonPrefixes ?? []).map((each) => each.Prefix ?? '');
    assert.equal(keys.length + prefixes.length, page.KeyCount);
    // Keys and common prefixes come in lists of their own, each in order.
    const entries = [...keys, ...prefixes];
    found.push(...(prefixes.length === 0 ? keys : entries.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return found;
}

async function contentOf(client: S3Client, key: string): Promise<string | undefined> {
  return (await client.send(new GetObjectCommand({ Bucket, Key: key }))).Body?.transformToString();
}

async function statusOf(call: Promise<unknown>): Promise<number | undefined> {
  return (await failureOf(call)).$metadata.httpStatusCode;
}

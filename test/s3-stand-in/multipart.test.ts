import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { codeOf } from './failure-of.ts';
import { clientOf } from './store-client.ts';
import { openStrictStore } from './strict-store.ts';

const Bucket = 'artifacts';
const Key = 'key';

test('parts that came in any order, and one of them twice, become one object in the order of their numbers', async () => {
  await using store = await openStrictStore({ minimumPartBytes: 4 });
  const client = clientOf(store);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'a/b', Metadata: { a: 'b' } }));
  await part(client, UploadId, 7, 'wrong');
  const third = await part(client, UploadId, 9, '9');
  const second = await part(client, UploadId, 7, 'seven');
  const first = await part(client, UploadId, 2, 'two-');
  assert.deepEqual([store.objects(Bucket), store.uploads(Bucket)], [[], [Key]]);
  const pages: (number | undefined)[][] = [];
  let marker: string | undefined;
  do {
    const page = await client.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2, PartNumberMarker: marker }));
    pages.push((page.Parts ?? []).map((each) => each.PartNumber));
    marker = page.NextPartNumberMarker;
  } while (marker !== undefined);
  assert.deepEqual(pages, [[2, 7], [9]]);
  const { ETag } = await complete(client, UploadId, [first, second, third]);
  const digests = ['two-', 'seven', '9'].map((bytes) => createHash('md5').update(bytes).digest());
  assert.equal(ETag, `"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-3"`);
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  assert.deepEqual([await got.Body?.transformToString(), got.ContentType, got.Metadata], ['two-seven9', 'a/b', { a: 'b' }]);
  const across = await client.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=3-4' }));
  assert.equal(await across.Body?.transformToString(), '-s');
  const one = await client.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
  assert.deepEqual([await one.Body?.transformToString(), one.PartsCount], ['seven', 3]);
});

test('a complete request may be repeated, and is not taken for another', async () => {
  await using store = await openStrictStore({ minimumPartBytes: 1 });
  const client = clientOf(store);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const parts = [await part(client, UploadId, 1, 'one'), await part(client, UploadId, 2, 'two')];
  const first = await complete(client, UploadId, parts);
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'newer' }));
  assert.equal((await complete(client, UploadId, parts)).ETag, first.ETag);
  assert.equal(store.object(Bucket, Key)?.body.toString(), 'newer', 'the repeat writes nothing');
  assert.equal(await codeOf(complete(client, UploadId, parts.slice(0, 1))), 'NoSuchUpload');
  assert.equal(await codeOf(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))), 'NoSuchUpload');
});

test('what a complete request says wrong is refused, and the upload stays', async () => {
  await using store = await openStrictStore({ minimumPartBytes: 4 });
  const client = clientOf(store);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const [one, two, small] = [
    await part(client, UploadId, 1, 'one-'),
    await part(client, UploadId, 2, 'two-'),
    await part(client, UploadId, 3, '3'),
  ];
  assert.equal(await codeOf(complete(client, UploadId, [two, one])), 'InvalidPartOrder');
  assert.equal(await codeOf(complete(client, UploadId, [one, one])), 'InvalidPartOrder');
  assert.equal(await codeOf(complete(client, UploadId, [one, { ...two, ETag: one.ETag }])), 'InvalidPart');
  assert.equal(await codeOf(complete(client, UploadId, [one, { ...two, PartNumber: 4 }])), 'InvalidPart');
  assert.equal(await codeOf(complete(client, UploadId, [])), 'MalformedXML');
  const four = await part(client, UploadId, 4, 'four');
  assert.equal(await codeOf(complete(client, UploadId, [one, small, four])), 'EntityTooSmall');
  assert.equal(await codeOf(part(client, UploadId, 10_001, 'x')), 'InvalidArgument');
  assert.equal(await codeOf(part(client, `${UploadId}x`, 1, 'x')), 'NoSuchUpload');
  store.place(Bucket, Key, 'there');
  assert.equal(await codeOf(complete(client, UploadId, [one, two], { IfNoneMatch: '*' })), 'PreconditionFailed');
  assert.equal(store.object(Bucket, Key)?.body.toString(), 'there');
  assert.deepEqual(store.uploads(Bucket), [Key]);
  await complete(client, UploadId, [one, two, small]);
});

test('the least size of a part is 5 MiB unless told otherwise', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  for (const [size, wanted] of [
    [5 * 1024 ** 2 - 1, 'EntityTooSmall'],
    [5 * 1024 ** 2, undefined],
  ] as const) {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const parts = [await part(client, UploadId, 1, Buffer.alloc(size)), await part(client, UploadId, 2, 'x')];
    if (wanted === undefined) await complete(client, UploadId, parts);
    else assert.equal(await codeOf(complete(client, UploadId, parts)), wanted);
  }
});

test('of two uploads that may only create, one completes', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const uploads = await Promise.all(
    ['first', 'second'].map(async (body) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      return { UploadId, parts: [await part(client, UploadId, 1, body)] };
    }),
  );
  const race = await Promise.allSettled(uploads.map(({ UploadId, parts }) => complete(client, UploadId, parts, { IfNoneMatch: '*' })));
  assert.deepEqual(race.map((each) => each.status).sort(), ['fulfilled', 'rejected']);
});

test('an aborted upload is gone with its parts, and lists show the others', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const start = async (key: string): Promise<string | undefined> =>
    (await client.send(new CreateMultipartUploadCommand({ Bucket, Key: key }))).UploadId;
  const UploadId = await start(Key);
  const one = await part(client, UploadId, 1, 'one');
  for (const key of ['a', 'b', 'b']) await start(key);
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  assert.equal(await codeOf(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))), 'NoSuchUpload');
  assert.equal(await codeOf(client.send(new ListPartsCommand({ Bucket, Key, UploadId }))), 'NoSuchUpload');
  assert.equal(await codeOf(part(client, UploadId, 2, 'two')), 'NoSuchUpload');
  assert.equal(await codeOf(complete(client, UploadId, [one])), 'NoSuchUpload');
  const found: (string | undefined)[] = [];
  let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  do {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...from }));
    found.push(...(page.Uploads ?? []).map((each) => each.Key));
    from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  } while (from.KeyMarker !== undefined);
  assert.deepEqual(found, ['a', 'b', 'b']);
});

test('the digests and checksums of parts bind them, and make the checksum of the whole', async () => {
  await using store = await openStrictStore({ minimumPartBytes: 1 });
  const client = clientOf(store);
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256' }));
  const sum = (bytes: string): Buffer => createHash('sha256').update(bytes).digest();
  const send = async (PartNumber: number, Body: string, of = Body): Promise<CompletedPart> => {
    const ChecksumSHA256 = sum(of).toString('base64');
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumSHA256 }));
    return { PartNumber, ETag, ChecksumSHA256 };
  };
  assert.equal(await codeOf(send(1, 'bytes', 'other')), 'BadDigest');
  const ContentMD5 = createHash('md5').update('other').digest('base64');
  assert.equal(
    await codeOf(client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'bytes', ContentMD5 }))),
    'BadDigest',
  );
  const parts = [await send(1, 'one'), await send(2, 'two')];
  const wrong = parts.map((each) => ({ ...each, ChecksumSHA256: sum('x').toString('base64') }));
  assert.equal(await codeOf(complete(client, UploadId, wrong)), 'InvalidPart');
  const { ChecksumSHA256, ChecksumType } = await complete(client, UploadId, parts);
  const whole = createHash('sha256')
    .update(Buffer.concat([sum('one'), sum('two')]))
    .digest('base64');
  assert.deepEqual([ChecksumSHA256, ChecksumType], [`${whole}-2`, 'COMPOSITE']);
});

test('a part can be a range of an object', async () => {
  await using store = await openStrictStore({ minimumPartBytes: 1 });
  const client = clientOf(store);
  store.place(Bucket, 'source', '0123456789');
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const copy = async (PartNumber: number, CopySourceRange: string): Promise<CompletedPart> => {
    const CopySource = `${Bucket}/source`;
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, CopySourceRange }),
    );
    return { PartNumber, ETag: CopyPartResult?.ETag };
  };
  assert.equal(await codeOf(copy(1, 'bytes=5-10')), 'InvalidArgument');
  assert.equal(await codeOf(copy(1, 'bytes=5-')), 'InvalidArgument');
  await complete(client, UploadId, [await copy(1, 'bytes=7-9'), await copy(2, 'bytes=0-1')]);
  assert.equal(store.object(Bucket, Key)?.body.toString(), '78901');
});

async function part(client: S3Client, UploadId: string | undefined, PartNumber: number, Body: string | Buffer): Promise<CompletedPart> {
  const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  return { PartNumber, ETag };
}

async function complete(
  client: S3Client,
  UploadId: string | undefined,
  Parts: CompletedPart[],
  more: Partial<CompleteMultipartUploadCommandInput> = {},
): Promise<{ ETag?: string | undefined; ChecksumSHA256?: string | undefined; ChecksumType?: string | undefined }> {
  return client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }));
}

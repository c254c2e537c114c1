import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { codeOf } from './failure-of.ts';
import { clientOf } from './store-client.ts';
import { openStrictStore } from './strict-store.ts';

const Bucket = 'artifacts';
const Key = 'key';
const hour = 3_600_000;

test('a bucket with versions keeps what was overwritten and deleted, and shows it by its version', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const put = async (Body: string): Promise<string | undefined> =>
    (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
  assert.equal(await put('before'), undefined);
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  assert.equal((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status, 'Enabled');
  const first = await put('first');
  const second = await put('second');
  const read = async (VersionId?: string): Promise<string | undefined> =>
    (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
  assert.deepEqual([await read('null'), await read(first), await read(second), await read()], ['before', 'first', 'second', 'second']);

  const removed = await client.send(new DeleteObjectCommand({ Bucket, Key }));
  assert.equal(removed.DeleteMarker, true);
  assert.equal(await codeOf(read()), 'NoSuchKey');
  assert.equal(await codeOf(read(removed.VersionId)), 'MethodNotAllowed');
  assert.equal(await codeOf(read('none')), 'NoSuchVersion');
  assert.deepEqual(store.objects(Bucket), []);
  const pages: (string | undefined)[] = [];
  let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  do {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1, ...from }));
    pages.push(page.Versions?.[0]?.VersionId ?? page.DeleteMarkers?.[0]?.VersionId);
    from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  } while (from.KeyMarker !== undefined);
  assert.deepEqual(pages, [removed.VersionId, second, first, 'null']);

  await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: removed.VersionId }));
  assert.equal(await read(), 'second');
  await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: second }));
  assert.equal(await read(), 'first');
});

test('a locked version is not deleted before its time, governance only by who bypasses it', async () => {
  let now = Date.now();
  await using store = await openStrictStore({ clock: () => now });
  const client = clientOf(store);
  await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  const at = { Bucket: 'locked', Key } as const;
  const lock = { ObjectLockRetainUntilDate: new Date(now + 60_000), ChecksumAlgorithm: 'SHA256' } as const;
  const put = async (ObjectLockMode: 'GOVERNANCE' | 'COMPLIANCE'): Promise<{ VersionId: string | undefined }> => {
    const { VersionId } = await client.send(new PutObjectCommand({ ...at, Body: ObjectLockMode, ObjectLockMode, ...lock }));
    return { VersionId };
  };
  const governed = await put('GOVERNANCE');
  const kept = await put('COMPLIANCE');
  for (const version of [governed, kept])
    assert.equal(await codeOf(client.send(new DeleteObjectCommand({ ...at, ...version }))), 'AccessDenied');
  const many = await client.send(new DeleteObjectsCommand({ Bucket: 'locked', Delete: { Objects: [{ Key, ...governed }] } }));
  assert.equal(many.Errors?.[0]?.Code, 'AccessDenied');
  await client.send(new DeleteObjectCommand({ ...at, ...governed, BypassGovernanceRetention: true }));
  assert.equal(await codeOf(client.send(new DeleteObjectCommand({ ...at, ...kept, BypassGovernanceRetention: true }))), 'AccessDenied');
  assert.equal((await client.send(new DeleteObjectCommand(at))).DeleteMarker, true, 'without a version, a marker hides it');

  const { Retention } = await client.send(new GetObjectRetentionCommand({ ...at, ...kept }));
  assert.deepEqual(Retention, { Mode: 'COMPLIANCE', RetainUntilDate: lock.ObjectLockRetainUntilDate });
  const retain = (Mode: 'GOVERNANCE' | 'COMPLIANCE', milliseconds: number): Promise<unknown> => {
    const next = { Mode, RetainUntilDate: new Date(now + milliseconds) };
    return client.send(new PutObjectRetentionCommand({ ...at, ...kept, Retention: next, BypassGovernanceRetention: true }));
  };
  assert.equal(await codeOf(retain('COMPLIANCE', 30_000)), 'AccessDenied');
  assert.equal(await codeOf(retain('GOVERNANCE', 90_000)), 'AccessDenied');
  assert.equal(await codeOf(retain('COMPLIANCE', -1000)), 'InvalidArgument');
  await retain('COMPLIANCE', 90_000);
  now += 80_000;
  assert.equal(await codeOf(client.send(new DeleteObjectCommand({ ...at, ...kept }))), 'AccessDenied');
  now += 20_000;
  await client.send(new DeleteObjectCommand({ ...at, ...kept }));
});

test('a legal hold holds until it is taken off, and a bucket can lock by default', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  const at = { Bucket: 'locked', Key } as const;
  const { VersionId } = await client.send(
    new PutObjectCommand({ ...at, Body: 'x', ObjectLockLegalHoldStatus: 'ON', ChecksumAlgorithm: 'CRC32' }),
  );
  assert.equal((await client.send(new GetObjectLegalHoldCommand(at))).LegalHold?.Status, 'ON');
  assert.equal(await codeOf(client.send(new DeleteObjectCommand({ ...at, VersionId, BypassGovernanceRetention: true }))), 'AccessDenied');
  await client.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status: 'OFF' } }));
  await client.send(new DeleteObjectCommand({ ...at, VersionId }));

  const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 2 } } as const;
  const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const;
  await client.send(new PutObjectLockConfigurationCommand({ Bucket: 'locked', ObjectLockConfiguration }));
  const shown = await client.send(new GetObjectLockConfigurationCommand({ Bucket: 'locked' }));
  assert.deepEqual(shown.ObjectLockConfiguration, ObjectLockConfiguration);
  assert.equal(await codeOf(client.send(new PutObjectCommand({ ...at, Body: 'x' }))), 'InvalidRequest', 'a digest is needed');
  const locked = await client.send(new PutObjectCommand({ ...at, Body: 'x', ChecksumAlgorithm: 'CRC32' }));
  const { Retention } = await client.send(new GetObjectRetentionCommand(at));
  assert.ok(Math.abs((Retention?.RetainUntilDate?.getTime() ?? 0) - Date.now() - 48 * hour) < 60_000);
  assert.equal(await codeOf(client.send(new DeleteObjectCommand({ ...at, VersionId: locked.VersionId }))), 'AccessDenied');
});

test('a bucket without lock refuses retention, and one with it keeps its versions', async () => {
  await using store = await openStrictStore();
  const client = clientOf(store);
  const lock = {
    ObjectLockMode: 'COMPLIANCE',
    ObjectLockRetainUntilDate: new Date(Date.now() + hour),
    ChecksumAlgorithm: 'CRC32',
  } as const;
  assert.equal(await codeOf(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...lock }))), 'InvalidRequest');
  store.place(Bucket, Key, 'x');
  assert.equal(await codeOf(client.send(new GetObjectRetentionCommand({ Bucket, Key }))), 'InvalidRequest');
  assert.equal(await codeOf(client.send(new GetObjectLockConfigurationCommand({ Bucket }))), 'ObjectLockConfigurationNotFoundError');
  await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  const suspend = new PutBucketVersioningCommand({ Bucket: 'locked', VersioningConfiguration: { Status: 'Suspended' } });
  assert.equal(await codeOf(client.send(suspend)), 'InvalidBucketState');
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { partitionOf } from '../../../src/provider/aws-iam/partition.ts';
import { policyOf } from '../../../src/provider/aws-iam/policy.ts';
import type { MintRequest } from '../../../src/provider/PROVIDER.ts';

const request: MintRequest = {
  label: 'artifactstore-g1-x-proxy',
  role: 'proxy',
  scope: { bucket: 'artifacts', prefix: 'a/b' },
  expiresAtMilliseconds: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
};

test('a policy reaches one bucket and prefix, until the keys end', () => {
  assert.deepEqual(JSON.parse(policyOf(request, 'aws')), {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        Resource: 'arn:aws:s3:::artifacts/a/b/*',
        Condition: { DateLessThan: { 'aws:CurrentTime': '2026-01-02T03:04:05Z' } },
      },
      {
        Effect: 'Allow',
        Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
        Resource: 'arn:aws:s3:::artifacts',
        Condition: { DateLessThan: { 'aws:CurrentTime': '2026-01-02T03:04:05Z' } },
      },
    ],
  });
});

test('a policy changes how a bucket is set up for the admin of all of it alone, and nobody its policies', () => {
  const changes = (role: MintRequest['role'], prefix: string) =>
    [
      ...policyOf({ ...request, role, scope: { bucket: 'artifacts', prefix } }, 'aws').matchAll(
        /s3:(PutBucket\w*|PutLifecycle\w*|\w*Policy|\w*Acl)/g,
      ),
    ].map(([, action]) => action);
  assert.deepEqual(changes('admin', ''), ['PutBucketVersioning', 'PutLifecycleConfiguration']);
  assert.deepEqual(changes('admin', 'a'), []);
  assert.deepEqual(changes('proxy', ''), []);
});

test('a policy is not written for a scope that it would read as a pattern', () => {
  for (const scope of [
    { bucket: 'artifacts', prefix: 'a*' },
    { bucket: 'artifacts', prefix: 'a?/b' },
    { bucket: 'artifacts', prefix: 'a/$b' },
    { bucket: 'artifact*', prefix: '' },
  ])
    assert.throws(
      () => policyOf({ ...request, scope }, 'aws'),
      (error) => isArtifactstoreError(error, 'invalid_configuration') && error.field === (scope.prefix === '' ? '--bucket' : '--prefix'),
    );
});

test('a region has the control plane and the names of its partition', () => {
  assert.equal(partitionOf('eu-central-1').address, 'https://iam.amazonaws.com');
  assert.partialDeepStrictEqual(partitionOf('us-gov-east-1'), { name: 'aws-us-gov', signingRegion: 'us-gov-west-1' });
  assert.partialDeepStrictEqual(partitionOf('cn-northwest-1'), { name: 'aws-cn', signingRegion: 'cn-north-1', domain: 'amazonaws.com.cn' });
  assert.match(policyOf(request, partitionOf('cn-north-1').name), /"arn:aws-cn:s3:::artifacts"/);
});

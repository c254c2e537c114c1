import { ArtifactstoreError } from '../../kernel/error.ts';
import type { MintRequest, Role, Scope } from '../PROVIDER.ts';

/** The name of the one inline policy that a minted user has. */
export const policyName = 'artifactstore';

/**
 * What minted keys may do, as IAM's JSON: objects below the prefix, and the names in the bucket. A store answers "there
 * is no such object" only to who may list the whole bucket, so names beside the prefix can be seen and nothing else of
 * them. Every statement ends with the keys' life. Errors: `invalid_configuration` for a scope that a policy would read
 * as a pattern.
 */
export function policyOf({ role, scope, expiresAtMilliseconds }: MintRequest, partition: string): string {
  requireLiteral(scope.bucket, '--bucket');
  requireLiteral(scope.prefix, '--prefix');
  const bucket = `arn:${partition}:s3:::${scope.bucket}`;
  const until = new Date(expiresAtMilliseconds).toISOString().replace(/\.\d+/, '');
  const statement = (actions: readonly string[], resource: string): object => ({
    Effect: 'Allow',
    Action: actions.map((action) => `s3:${action}`),
    Resource: resource,
    Condition: { DateLessThan: { 'aws:CurrentTime': until } },
  });
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      statement(objectActions, `${bucket}/${scope.prefix === '' ? '' : `${scope.prefix}/`}*`),
      statement(bucketActions(role, scope), bucket),
    ],
  });
}

const objectActions = ['GetObject', 'PutObject', 'DeleteObject', 'AbortMultipartUpload', 'ListMultipartUploadParts'];

/** The admin's keys look at how the bucket is set up too, and change it where all of it is theirs. */
function bucketActions(role: Role, { prefix }: Scope): readonly string[] {
  const all = ['ListBucket', 'ListBucketMultipartUploads'];
  if (role === 'proxy') return all;
  const looks = ['GetBucketLocation', 'GetBucketVersioning', 'GetLifecycleConfiguration', 'ListBucketVersions'];
  return [...all, ...looks, ...(prefix === '' ? ['PutBucketVersioning', 'PutLifecycleConfiguration'] : [])];
}

/** `*` and `?` are any text in a resource's name, and `${` begins a variable: the scope would be wider than told. */
function requireLiteral(text: string, field: string): void {
  if (!/[*?$]/.test(text)) return;
  throw new ArtifactstoreError('invalid_configuration', `${field}: a policy of IAM reads "*", "?" and "$" as patterns.`, {
    field,
    info: { hint: 'take a name without them: keys cannot be made exactly as narrow as this' },
  });
}

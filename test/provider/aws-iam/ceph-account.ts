import { randomBytes } from 'node:crypto';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Rgw } from '../../stores/rgw.ts';
import { clientOf, type StoreKeys } from '../../stores/store.ts';

/** An account of a Ceph gateway, with its first user and two buckets. */
export interface CephAccount {
  readonly id: string;
  readonly root: StoreKeys;
  readonly bucket: string;
  readonly otherBucket: string;
  /** A user `artifactstore-authority-…` with the policy of docs/providers.md, without these actions. */
  authority(without?: readonly string[]): Promise<StoreKeys>;
}

export async function createAccount(rgw: Rgw): Promise<CephAccount> {
  const name = `account-${randomBytes(4).toString('hex')}`;
  const { id } = JSON.parse(await rgw.administer('account', 'create', '--account-name', name)) as { readonly id: string };
  const root = { accessKeyId: randomBytes(10).toString('hex').toUpperCase(), secretAccessKey: randomBytes(20).toString('hex') };
  const keys = ['--access-key', root.accessKeyId, '--secret-key', root.secretAccessKey];
  await rgw.administer('user', 'create', '--uid', `${name}-root`, '--display-name', 'root', '--account-id', id, '--account-root', ...keys);
  const client = clientOf({ ...rgw, keys: root });
  const [bucket, otherBucket] = [`bucket-${randomBytes(6).toString('hex')}`, `bucket-${randomBytes(6).toString('hex')}`];
  for (const Bucket of [bucket, otherBucket]) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
  return {
    ...{ id, root, bucket, otherBucket },
    async authority(without = []) {
      const iam = new IAMClient({ endpoint: rgw.url, region: rgw.region, credentials: root });
      const UserName = `artifactstore-authority-${randomBytes(4).toString('hex')}`;
      const allow = (Resource: string, ...actions: readonly string[]) => ({
        Effect: 'Allow',
        Resource,
        Action: actions.filter((each) => !without.includes(each)),
      });
      const users = ['GetUser', 'CreateUser', 'DeleteUser', 'PutUserPolicy', 'DeleteUserPolicy'].map((each) => `iam:${each}`);
      const accessKeys = ['CreateAccessKey', 'DeleteAccessKey', 'ListAccessKeys'].map((each) => `iam:${each}`);
      const Statement = [
        allow(`arn:aws:iam::${id}:user/artifactstore-*`, ...users, ...accessKeys),
        allow('*', 'iam:ListUsers'),
        allow(`arn:aws:s3:::${bucket}`, 's3:ListBucket'),
      ].filter(({ Action }) => Action.length > 0);
      try {
        await iam.send(new CreateUserCommand({ UserName }));
        const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
        await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'artifactstore', PolicyDocument }));
        const { AccessKey: made } = await iam.send(new CreateAccessKeyCommand({ UserName }));
        return { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey! };
      } finally {
        iam.destroy();
      }
    },
  };
}

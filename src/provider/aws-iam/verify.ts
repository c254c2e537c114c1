import { randomBytes } from 'node:crypto';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { encode, sha256, signInHeader } from '../../protocol/aws-signature.ts';
import type { Secret } from '../../secrets/secret.ts';
import { createAsker, notWhatItWasTakenFor } from '../ask.ts';
import { parseKeyPair } from '../key-pair.ts';
import type { Authority } from '../PROVIDER.ts';
import { missingPermission, unusableAuthority } from '../refusal.ts';
import type { ObjectPlace } from '../s3-proof.ts';
import { childOf, textOf } from './answer.ts';
import type { Api } from './api.ts';
import { policyName } from './policy.ts';

export interface Verifying {
  readonly api: Api;
  readonly account: string;
  readonly place: string;
  readonly objects: ObjectPlace;
  readonly signal: AbortSignal | undefined;
}

/** Whose keys these are, whether that user may do what a rotation does, and whether it sees the bucket. */
export async function verify(verifying: Verifying, authority: Secret, bucket: string | undefined): Promise<Authority> {
  const { api, account, place } = verifying;
  const { result } = await api
    .call(authority, { action: 'GetUser', failed: 'The user of these keys cannot be looked at' })
    .catch(async (error: unknown) => {
      // A Ceph gateway says AccessDenied to keys that it does not know, too: a list of buckets tells them apart.
      const mayBeUnknown = isArtifactstoreError(error, 'provider_forbidden') && account.startsWith('RGW');
      if (!mayBeUnknown || (await headOf(verifying, authority, '')) === 200) throw error;
      throw unusableAuthority(
        'unknown',
        `${error.message.replace(/\.$/, '')}; or the provider does not know the keys at all`,
        'look at the keys first, and then at the policy of their user: docs/providers.md has it',
      );
    });
  const user = childOf(result, 'User');
  const [, owner, what, name] = /^arn:[\w-]+:iam::([^:]+):(root|user)(?:\/(?:.*\/)?([^/]+))?$/.exec(textOf(user, 'Arn') ?? '') ?? [];
  const subject = textOf(user, 'UserId');
  if (owner === undefined || subject === undefined) throw notWhatItWasTakenFor(place, 'says of the user of these keys neither id nor name');
  if (owner !== account)
    throw unusableAuthority(
      'other_account',
      `The keys belong to the account ${owner}, not to ${account}`,
      'look at --account and at the keys',
    );
  const granted = await askRights(api, authority, what === 'root' ? undefined : name);
  if (bucket === undefined) return { subject, account, granted };
  const status = await headOf(verifying, authority, bucket);
  if (status === 403)
    throw missingPermission(
      `The bucket ${bucket} cannot be looked at (403)`,
      `s3:ListBucket on ${bucket}, which must belong to account ${account}`,
      'allow the user whose keys these are "s3:ListBucket" on the bucket, or look at whose bucket it is',
    );
  if (status !== 200 && status !== 404)
    throw notWhatItWasTakenFor(
      verifying.objects.endpointUrl,
      `answers ${status} to a look at the bucket ${bucket}: is it of another region?`,
    );
  return { subject, account, granted: [...granted, 's3:ListBucket'], bucketIsThere: status === 200 };
}

/**
 * Asks for each right in a way that changes nothing: of a user, a key or a policy that is not there, and for a user
 * that is there already, the caller itself. Who may not is told so before that is looked at. A Ceph gateway looks for
 * the user first: there the first minting says what is missing of PutUserPolicy and CreateAccessKey, and the first end
 * of a generation that DeleteUser is, when its keys are ended and their user stays.
 */
async function askRights(api: Api, authority: Secret, own: string | undefined): Promise<readonly string[]> {
  const nobody = `artifactstore-no-such-${randomBytes(4).toString('hex')}`;
  const rights: readonly (readonly [action: string, parameters: Readonly<Record<string, string>>])[] = [
    ['ListUsers', { MaxItems: '1' }],
    // The user of an account's own keys has no name that could be asked for, and may do everything.
    ...(own === undefined ? [] : rightsOf(own, nobody)),
  ];
  for (const [action, parameters] of rights)
    await api.call(authority, { action, parameters, failed: 'The keys may not make, change and end users' });
  return rights.map(([action]) => `iam:${action}`);
}

function rightsOf(own: string, nobody: string): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  return [
    ['CreateUser', { UserName: own }],
    ['PutUserPolicy', { UserName: nobody, PolicyName: policyName, PolicyDocument: '{"Version":"2012-10-17","Statement":[]}' }],
    ['CreateAccessKey', { UserName: nobody }],
    ['ListAccessKeys', { UserName: own }],
    ['DeleteAccessKey', { UserName: own, AccessKeyId: 'ARTIFACTSTORENOSUCHKEY' }],
    ['DeleteUserPolicy', { UserName: own, PolicyName: nobody }],
    ['DeleteUser', { UserName: nobody }],
  ];
}

/** The status of a look at a bucket, or at the list of buckets where its name is empty. */
async function headOf({ account, objects, signal }: Verifying, authority: Secret, bucket: string): Promise<number> {
  const { endpointUrl: address, region } = objects;
  const { host, pathname } = new URL(address);
  const keys = parseKeyPair(authority);
  const asker = createAsker({ place: address, asked: 'objects', address, answerMilliseconds: 15_000, signal });
  const own = `/${encode(bucket)}`;
  const method = bucket === '' ? 'GET' : 'HEAD';
  // A bucket of the same name may be somebody else's.
  const owner = /^\d{12}$/.test(account) && bucket !== '' ? { 'x-amz-expected-bucket-owner': account } : {};
  try {
    const { status } = await asker.ask(() => {
      const path = `${pathname.replace(/\/$/, '')}${own}`;
      const date = new Date();
      const signed = signInHeader({ method, path, query: {}, headers: { host, ...owner }, payload: sha256(''), date, region, keys });
      return { method, path: own, headers: signed.headers };
    });
    return status;
  } finally {
    await asker.close();
  }
}

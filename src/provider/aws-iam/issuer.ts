import { type Secret, secretOf } from '../../secrets/secret.ts';
import { notWhatItWasTakenFor } from '../ask.ts';
import type { Issuer, Minted, MintRequest } from '../PROVIDER.ts';
import { refusedByProvider, unusableAuthority } from '../refusal.ts';
import { childOf, membersOf, textOf } from './answer.ts';
import type { Api, Called } from './api.ts';
import type { Partition } from './partition.ts';
import { policyName, policyOf } from './policy.ts';

/** A user for each pair of keys. Its name is the label, and the id of what is minted. */
export function issuer(api: Api, place: string, partition: Partition['name']): Issuer {
  /** Undefined where there is no such user. */
  async function keysOf(authority: Secret, user: string): Promise<readonly string[] | undefined> {
    const { said, result } = await api.call(authority, {
      action: 'ListAccessKeys',
      parameters: { UserName: user },
      failed: `The keys of the user ${user} cannot be listed`,
    });
    if (said === 'NoSuchEntity') return undefined;
    return membersOf(result, 'AccessKeyMetadata').map((key) => textOf(key, 'AccessKeyId') ?? unnamed(place));
  }

  async function makeKey(authority: Secret, user: string): Promise<Minted> {
    const failed = `Keys of the user ${user} cannot be made`;
    const called = await api.call(authority, { action: 'CreateAccessKey', parameters: { UserName: user }, failed });
    if (called.said === 'LimitExceeded') {
      const ids = (await keysOf(authority, user)) ?? [];
      throw refusedByProvider(
        `The user ${user} has as many access keys as one may have: ${ids.join(', ')}`,
        `end the one that nobody uses: \`aws iam delete-access-key --user-name ${user} --access-key-id ID\``,
        { reason: 'limit', ids },
      );
    }
    requireDone(called, failed);
    const key = childOf(called.result, 'AccessKey');
    const [accessKeyId, secret] = [textOf(key, 'AccessKeyId'), textOf(key, 'SecretAccessKey')];
    if (accessKeyId === undefined || secret === undefined) throw notWhatItWasTakenFor(place, 'makes a key and does not give it');
    return { id: user, accessKeyId, secretAccessKey: secretOf(secret) };
  }

  async function endKey(authority: Secret, user: string, key: string): Promise<void> {
    const failed = `The key ${key} of the user ${user} cannot be ended`;
    const parameters = { UserName: user, AccessKeyId: key };
    const called = await api.call(authority, { action: 'DeleteAccessKey', parameters, failed });
    if (called.said !== 'NoSuchEntity') requireDone(called, failed);
  }

  /** The keys first: whatever happens after that, they are worth nothing. */
  async function revoke(authority: Secret, id: string): Promise<'revoked' | 'absent'> {
    const keys = await keysOf(authority, id);
    if (keys === undefined) return 'absent';
    for (const key of keys) await endKey(authority, id, key);
    const failed = `The user ${id} cannot be ended`;
    const parameters = { UserName: id, PolicyName: policyName };
    const policy = await api.call(authority, { action: 'DeleteUserPolicy', parameters, failed });
    if (policy.said !== 'NoSuchEntity') requireDone(policy, failed);
    const called = await api.call(authority, { action: 'DeleteUser', parameters: { UserName: id }, failed });
    if (called.said === 'DeleteConflict')
      throw refusedByProvider(
        `The keys of the user ${id} are ended, and the user is still there: somebody has given it more`,
        'take away its groups, policies and other credentials, then run this again',
        { reason: 'conflict' },
      );
    return called.said === 'NoSuchEntity' ? 'absent' : 'revoked';
  }

  return {
    revoke,
    async mint(authority, request) {
      const { label, expiresAtMilliseconds } = request;
      const document = policyOf(request, partition);
      const failed = `The user ${label} cannot be made`;
      requireDone(await api.call(authority, { action: 'CreateUser', parameters: { UserName: label }, failed }), failed);
      try {
        await putPolicy(authority, request, document);
        return { ...(await makeKey(authority, label)), expiresAtMilliseconds };
      } catch (error) {
        // A list of users may not show yet what was made a moment ago; here its name is known.
        await revoke(authority, label).catch(() => undefined);
        throw error;
      }
    },
    async find(authority, labelPrefix) {
      const found: string[] = [];
      let marker: string | undefined;
      for (let page = 1; page <= mostPages; page += 1) {
        const { result } = await api.call(authority, {
          action: 'ListUsers',
          parameters: { MaxItems: '1000', ...(marker === undefined ? {} : { Marker: marker }) },
          failed: 'The users of the account cannot be listed',
        });
        const names = membersOf(result, 'Users').map((user) => textOf(user, 'UserName') ?? unnamed(place));
        found.push(...names.filter((name) => name.startsWith(labelPrefix)));
        marker = textOf(result, 'Marker');
        if (textOf(result, 'IsTruncated') !== 'true') return found;
        if (marker === undefined) throw notWhatItWasTakenFor(place, 'lists a part of the users and not where it continues');
      }
      throw notWhatItWasTakenFor(place, `lists more than ${mostPages * 1000} users`);
    },
    async roll(authority, id) {
      const before = await keysOf(authority, id);
      if (before === undefined)
        throw unusableAuthority('unknown', `There is no user ${id} any more`, 'mint another: `artifactstore provider rotate`');
      const made = await makeKey(authority, id);
      try {
        for (const key of before) await endKey(authority, id, key);
      } catch (error) {
        // Nobody will be told of the new one.
        await endKey(authority, id, made.accessKeyId).catch(() => undefined);
        throw error;
      }
      return made;
    },
    howToRevoke: (id) =>
      `\`aws iam list-access-keys --user-name ${id}\`, and for each \`aws iam delete-access-key --user-name ${id} --access-key-id ID\``,
  };

  async function putPolicy(authority: Secret, { label }: MintRequest, document: string): Promise<void> {
    const failed = `The policy of the user ${label} cannot be written`;
    const parameters = { UserName: label, PolicyName: policyName, PolicyDocument: document };
    requireDone(await api.call(authority, { action: 'PutUserPolicy', parameters, failed }), failed);
  }
}

function requireDone({ said }: Called, failed: string): void {
  if (said === 'done') return;
  throw refusedByProvider(
    `${failed} (${said})`,
    said === 'LimitExceeded'
      ? 'a limit of the account is reached: end users that nobody needs, or ask for a higher limit'
      : 'somebody else works on the same users: run this again when nobody does',
    { reason: said === 'LimitExceeded' ? 'limit' : 'conflict' },
  );
}

function unnamed(place: string): never {
  throw notWhatItWasTakenFor(place, 'lists something without its name');
}

const mostPages = 50;

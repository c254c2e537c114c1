import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import { sha256 } from '../../protocol/aws-signature.ts';
import { type Secret, secretOf } from '../../secrets/secret.ts';
import { createAsker, notWhatItWasTakenFor } from '../ask.ts';
import type { OpenOptions } from '../open-options.ts';
import type { Authority, Issuer, Minted, Provider } from '../PROVIDER.ts';
import { missingPermission, notAnAccount, unusableAuthority } from '../refusal.ts';
import { proveAtS3 } from '../s3-proof.ts';
import { type Api, createApi } from './api.ts';

/**
 * Account API tokens and R2. An S3 key is a token: its id is the access key's, and the secret is the lower-case
 * hexadecimal SHA-256 of its value, which the answers to a creation and to a roll have and nothing else. Keys that last
 * are as narrow as a bucket; a prefix takes temporary ones.
 */
export function cloudflareR2({ account, providerUrl, endpointUrl, patience, limitMilliseconds, wait }: OpenOptions): Provider {
  if (!/^[0-9a-f]{32}$/.test(account))
    throw unusableAuthority('malformed', notAnAccount, 'it is the 32 hexadecimal digits of the address of the dashboard');
  const address = providerUrl ?? 'https://api.cloudflare.com/client/v4';
  const place = `${address}, account ${account}`;
  const asker = createAsker({ place, address, answerMilliseconds: 15_000, limitMilliseconds, wait, signal: patience.signal });
  const api = createApi(asker, place, account);
  const objects = { endpointUrl: endpointUrl ?? `https://${account}.r2.cloudflarestorage.com`, region: 'auto' };

  return {
    kind: 'cloudflare-r2',
    place,
    capabilities: { narrowest: 'bucket', expiry: true, authorityForm: 'the value of an account API token' },
    verify: (authority, bucket) => verify({ api, account, place, now: Date.now }, authority, bucket),
    prove: (keys, scope, outside) => proveAtS3(objects, keys, scope, outside, patience),
    issuer: issuer(api, account, place),
    close: () => asker.close(),
  };
}

interface Verifying {
  readonly api: Api;
  readonly account: string;
  readonly place: string;
  readonly now: () => number;
}

async function verify({ api, account, place, now }: Verifying, authority: Secret, bucket: string | undefined): Promise<Authority> {
  const verified = await api.call(authority, {
    method: 'GET',
    path: '/tokens/verify',
    failed: 'The token cannot be verified',
    permission: undefined,
  });
  if (verified.status === 404) throw otherAccount(account);
  const token = objectOf(verified.result, place);
  const subject = textOf(token.id, place);
  const expiresAt = dateOf(token.expires_on);
  const startsAt = dateOf(token.not_before);
  if (token.status === 'expired' || (expiresAt !== undefined && expiresAt <= now()))
    throw unusableAuthority(
      'expired',
      'The token has expired',
      'make another, or give this one a later end, under Manage Account > Account API Tokens',
    );
  if (startsAt !== undefined && startsAt > now())
    throw unusableAuthority('not_yet_valid', `The token is not valid before ${new Date(startsAt).toISOString()}`, 'wait, or make another');
  if (token.status !== 'active')
    throw unusableAuthority('disabled', 'The token is not active', 'enable it under Manage Account > Account API Tokens, or make another');

  const own = await api.call(authority, {
    method: 'GET',
    path: `/tokens/${encodeURIComponent(subject)}`,
    failed: "The token's own metadata cannot be read",
    permission: readTokens,
  });
  if (own.status === 404) throw otherAccount(account);
  const names = policyGroups(objectOf(own.result, place));
  if (!names.includes(writeTokens))
    throw missingPermission('The token may not make or end other tokens', `${writeTokens} on account ${account}`, addIt(writeTokens));
  await Promise.all([itemRead, itemWrite].map((name) => groupId(api, place, authority, name)));
  const granted = [readTokens, writeTokens, itemRead, itemWrite];
  const known = { subject, account, granted, ...(expiresAt === undefined ? {} : { expiresAtMilliseconds: expiresAt }) };
  if (bucket === undefined) return known;
  const found = await api.call(authority, {
    method: 'GET',
    path: `/r2/buckets/${encodeURIComponent(bucket)}`,
    failed: `The bucket ${bucket} cannot be looked at`,
    permission: 'Workers R2 Storage Read',
  });
  return { ...known, granted: [...granted, 'Workers R2 Storage Read'], bucketIsThere: found.status === 200 };
}

function issuer(api: Api, account: string, place: string): Issuer {
  const tokens = { failed: 'A token cannot be made', permission: writeTokens };
  const issue: Issuer = {
    async mint(authority, { label, scope, expiresAtMilliseconds }) {
      const ids = await Promise.all([itemRead, itemWrite].map((name) => groupId(api, place, authority, name)));
      const { result } = await api.call(authority, {
        method: 'POST',
        path: '/tokens',
        ...tokens,
        body: {
          name: label,
          expires_on: new Date(expiresAtMilliseconds).toISOString().replace(/\.\d+/, ''),
          policies: [
            {
              effect: 'allow',
              permission_groups: ids.map((id) => ({ id })),
              resources: { [`com.cloudflare.edge.r2.bucket.${account}_default_${scope.bucket}`]: '*' },
            },
          ],
        },
      });
      const made = objectOf(result, place);
      return mintedOf(textOf(made.id, place), textOf(made.value, place), dateOf(made.expires_on));
    },
    async find(authority, labelPrefix) {
      const found: string[] = [];
      for (let page = 1; page <= mostPages; page += 1) {
        const listed = await api.call(authority, {
          method: 'GET',
          path: `/tokens?page=${page}&per_page=50`,
          failed: 'The tokens of the account cannot be listed',
          permission: readTokens,
        });
        const rows = Array.isArray(listed.result) ? (listed.result as readonly JsonValue[]) : [];
        for (const row of rows)
          if (isJsonObject(row) && typeof row.id === 'string' && typeof row.name === 'string' && row.name.startsWith(labelPrefix))
            found.push(row.id);
        const { total_pages: pages } = listed.page;
        if (typeof pages === 'number' ? page >= pages : rows.length < 50) return found;
      }
      throw notWhatItWasTakenFor(place, `lists more than ${mostPages * 50} tokens`);
    },
    async roll(authority, id) {
      const { status, result } = await api.call(authority, {
        method: 'PUT',
        path: `/tokens/${encodeURIComponent(id)}/value`,
        body: {},
        failed: 'The token cannot be rolled',
        permission: writeTokens,
      });
      if (status === 404)
        throw unusableAuthority('unknown', `There is no token ${id} any more`, 'mint another: `artifactstore provider rotate`');
      return mintedOf(id, textOf(result, place), undefined);
    },
    async revoke(authority, id) {
      const { status } = await api.call(authority, {
        method: 'DELETE',
        path: `/tokens/${encodeURIComponent(id)}`,
        failed: 'The token cannot be revoked',
        permission: writeTokens,
      });
      return status === 404 ? 'absent' : 'revoked';
    },
    async vend(authority, { parentId, scope, write, seconds }) {
      const { result } = await api.call(authority, {
        method: 'POST',
        path: '/r2/temp-access-credentials',
        failed: 'Temporary keys cannot be made',
        permission: 'Workers R2 Storage Write',
        body: {
          bucket: scope.bucket,
          parentAccessKeyId: parentId,
          permission: write ? 'object-read-write' : 'object-read-only',
          ttlSeconds: seconds,
          ...(scope.prefix === '' ? {} : { prefixes: [`${scope.prefix}/`] }),
        },
      });
      const keys = objectOf(result, place);
      return {
        accessKeyId: textOf(keys.accessKeyId, place),
        secretAccessKey: textOf(keys.secretAccessKey, place),
        sessionToken: textOf(keys.sessionToken, place),
        expiresAtMilliseconds: Date.now() + 1000 * seconds,
      };
    },
    howToRevoke: (id) => `delete the token ${id} under Manage Account > Account API Tokens, or DELETE /accounts/${account}/tokens/${id}`,
  };
  return issue;
}

/** By name at run time: an account has other ids than another. */
async function groupId(api: Api, place: string, authority: Secret, name: string): Promise<string> {
  const { result } = await api.call(authority, {
    method: 'GET',
    path: `/tokens/permission_groups?name=${encodeURIComponent(name)}`,
    failed: `The permission group "${name}" cannot be looked up`,
    permission: readTokens,
  });
  const rows = Array.isArray(result) ? (result as readonly JsonValue[]) : [];
  for (const row of rows) if (isJsonObject(row) && row.name === name && hasBucketScope(row)) return textOf(row.id, place);
  throw missingPermission(
    `The permission group "${name}" is not shown to the token`,
    'Workers R2 Storage Write, in an account that uses R2',
    'is R2 enabled in the account? Enable it, then run this again',
  );
}

function hasBucketScope({ scopes }: JsonObject): boolean {
  return Array.isArray(scopes) && scopes.includes('com.cloudflare.edge.r2.bucket');
}

function policyGroups({ policies }: JsonObject): readonly string[] {
  if (!Array.isArray(policies)) return [];
  return policies.flatMap((policy: JsonValue) => {
    if (!isJsonObject(policy) || policy.effect !== 'allow' || !Array.isArray(policy.permission_groups)) return [];
    return policy.permission_groups.flatMap((group: JsonValue) =>
      isJsonObject(group) && typeof group.name === 'string' ? [group.name] : [],
    );
  });
}

function mintedOf(id: string, value: string, expiresAtMilliseconds: number | undefined): Minted {
  const keys = { id, accessKeyId: id, secretAccessKey: secretOf(sha256(value)) };
  return expiresAtMilliseconds === undefined ? keys : { ...keys, expiresAtMilliseconds };
}

function objectOf(value: JsonValue | undefined, place: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw notWhatItWasTakenFor(place, 'answers without a result');
}

function textOf(value: JsonValue | undefined, place: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw notWhatItWasTakenFor(place, 'answers without what was asked for');
}

function dateOf(value: JsonValue | undefined): number | undefined {
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

function otherAccount(account: string): Error {
  const hint = 'look at --account, and at --provider-url where it is given; make an account API token there';
  return unusableAuthority('other_account', `The token is not one of account ${account}`, hint);
}

function addIt(permission: string): string {
  return `add the permission "${permission}" to the token under Manage Account > Account API Tokens, then run this again`;
}

const readTokens = 'Account API Tokens Read';
const writeTokens = 'Account API Tokens Write';
const itemRead = 'Workers R2 Storage Bucket Item Read';
const itemWrite = 'Workers R2 Storage Bucket Item Write';
const mostPages = 100;

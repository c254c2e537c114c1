import { isArtifactstoreError } from '../kernel/error.ts';
import { parseJson } from '../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/format/json-value.ts';
import { encode, sha256, signInHeader } from '../protocol/aws-signature.ts';
import { type Secret, secretOf } from '../secrets/secret.ts';
import { type Asker, createAsker, notWhatItWasTakenFor } from './ask.ts';
import { parseKeyPair } from './key-pair.ts';
import type { OpenOptions } from './open-options.ts';
import type { Authority, Issuer, Provider } from './PROVIDER.ts';
import { missingPermission, notAnAccount, unusableAuthority } from './refusal.ts';
import { proveAtS3 } from './s3-proof.ts';

/**
 * The Admin Ops API of a Ceph gateway, 16 and later. The account is the user that owns the bucket. Minted keys are
 * those of a subuser of it, named by the label: what they write belongs to the bucket's owner, as before, and ending
 * them ends nobody else's. The proxy's may read and write; the admin's may also change ACLs and policies. They are as
 * narrow as that user, so it should own this bucket alone: the proof fails where it owns others.
 */
export function cephAdmin({
  account,
  providerUrl,
  endpointUrl,
  region = 'us-east-1',
  patience,
  limitMilliseconds,
  wait,
}: OpenOptions): Provider {
  if (providerUrl === undefined)
    throw unusableAuthority('malformed', 'A Ceph gateway has no public address', 'give it with --provider-url');
  // It stands between a user and a subuser, and in a pair of keys.
  if (account.includes(':')) throw unusableAuthority('malformed', notAnAccount, 'it is the user that owns the bucket, without a subuser');
  const place = `${providerUrl}, user ${account}`;
  const asker = createAsker({ place, address: providerUrl, answerMilliseconds: 15_000, limitMilliseconds, wait, signal: patience.signal });
  const call = caller(asker, place, providerUrl, region);
  return {
    kind: 'ceph-admin',
    place,
    capabilities: { narrowest: 'bucket', expiry: false, authorityForm: 'ACCESS_KEY_ID:SECRET_ACCESS_KEY of a user with capabilities' },
    verify: (authority, bucket) =>
      verify({ call, areKnown: (keys) => areKnown(asker, providerUrl, region, keys) }, account, authority, bucket),
    prove: (keys, scope, outside) => proveAtS3({ endpointUrl: endpointUrl ?? providerUrl, region }, keys, scope, outside, patience),
    issuer: issuer(call, account, place),
    close: () => asker.close(),
  };
}

interface Calls {
  readonly call: Call;
  /** Whether the gateway knows these keys at all. */
  areKnown(authority: Secret): Promise<boolean>;
}

interface AdminCall {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly resource: 'user' | 'bucket';
  readonly query: Readonly<Record<string, string>>;
  readonly failed: string;
  /** As `radosgw-admin caps add --caps` takes it. */
  readonly capability: string;
}

/** Undefined for a 404. */
type Call = (authority: Secret, call: AdminCall) => Promise<JsonValue | undefined>;

function caller(asker: Asker, place: string, address: string, region: string): Call {
  const { host, pathname } = new URL(address);
  return async (authority, { method, resource, query, failed, capability }) => {
    const keys = parseKeyPair(authority);
    const own = `/admin/${resource}`;
    const answer = await asker.ask(() => {
      const path = `${pathname.replace(/\/$/, '')}${own}`;
      const signed = signInHeader({
        method,
        path,
        query: { format: 'json', ...query },
        headers: { host },
        payload: sha256(''),
        date: new Date(),
        region,
        keys,
      });
      return { method, path: `${own}?${signed.query}`, headers: signed.headers };
    });
    const { status, text } = answer;
    const body = text.trim() === '' ? {} : jsonOf(text);
    const code = codeOf(body);
    if (status === 404 && code !== undefined) return undefined;
    if (status === 403 && (code === 'InvalidAccessKeyId' || code === 'SignatureDoesNotMatch' || code === 'UserSuspended'))
      throw unknownKeys(`${failed} (403 ${code})`, code === 'UserSuspended' ? 'disabled' : 'unknown');
    if (status === 403)
      throw missingPermission(
        `${failed} (403 ${code ?? ''})`.replace(' )', ')'),
        `the capability ${capability}`,
        `run \`radosgw-admin caps add --uid USER --caps "${capability}"\` for the user whose keys these are`,
      );
    if (body === undefined || status >= 300)
      throw notWhatItWasTakenFor(place, `answers ${status}${code === undefined ? '' : ` ${code}`}, which is not the Admin Ops API's`);
    return body;
  };
}

async function verify({ call, areKnown }: Calls, account: string, authority: Secret, bucket: string | undefined): Promise<Authority> {
  const { accessKeyId } = parseKeyPair(authority);
  const user = await call(authority, {
    method: 'GET',
    resource: 'user',
    query: { uid: account },
    failed: `The user ${account} cannot be looked at`,
    capability: 'users=*',
  }).catch(async (error: unknown) => {
    // With STS a gateway says AccessDenied to keys that it does not know, too: a list of buckets tells them apart.
    if (isArtifactstoreError(error, 'provider_forbidden') && !(await areKnown(authority))) throw unknownKeys('The keys are refused (403)');
    throw error;
  });
  if (user === undefined)
    throw unusableAuthority(
      'other_account',
      `The gateway has no user ${account}`,
      'look at --account: it is the user that owns the bucket',
    );
  // There is no such subuser: who may end one is told so, and nothing changes.
  await call(authority, {
    method: 'DELETE',
    resource: 'user',
    query: { uid: account, subuser: 'artifactstore-no-such' },
    failed: `The keys of the user ${account} may not be changed`,
    capability: 'users=*',
  });
  const known = { subject: accessKeyId, account, granted: ['users=*'] };
  if (bucket === undefined) return known;
  const found = await call(authority, {
    method: 'GET',
    resource: 'bucket',
    query: { bucket },
    failed: `The bucket ${bucket} cannot be looked at`,
    capability: 'buckets=read',
  });
  if (isJsonObject(found) && found.owner !== account)
    throw unusableAuthority(
      'other_account',
      `The bucket ${bucket} does not belong to the user ${account}`,
      'give the owner of the bucket as --account: `radosgw-admin bucket stats --bucket BUCKET` says who that is',
    );
  return { ...known, granted: ['users=*', 'buckets=read'], bucketIsThere: found !== undefined };
}

function issuer(call: Call, account: string, place: string): Issuer {
  const change = { resource: 'user', capability: 'users=*' } as const;
  const keysOf = async (authority: Secret, label: string): Promise<readonly JsonObject[]> => {
    const user = await call(authority, { ...change, method: 'GET', query: { uid: account }, failed: 'The user cannot be looked at' });
    return keysIn(isJsonObject(user) ? user.keys : undefined).filter((key) => key.user === `${account}:${label}`);
  };
  return {
    async mint(authority, { label, role }) {
      const failed = `Keys for the user ${account} cannot be made`;
      const access = role === 'admin' ? 'full' : 'readwrite';
      await call(authority, {
        ...change,
        method: 'PUT',
        query: { uid: account, subuser: label, access, 'generate-secret': 'false' },
        failed,
      });
      const query = { key: '', uid: account, subuser: label, 'key-type': 's3', 'generate-key': 'true' };
      const made = await call(authority, { ...change, method: 'PUT', query, failed });
      const key = keysIn(made).find(({ user }) => user === `${account}:${label}`);
      if (typeof key?.access_key !== 'string' || typeof key.secret_key !== 'string')
        throw notWhatItWasTakenFor(place, 'makes a key and does not give it');
      return { id: label, accessKeyId: key.access_key, secretAccessKey: secretOf(key.secret_key) };
    },
    async find(authority, labelPrefix) {
      const user = await call(authority, { ...change, method: 'GET', query: { uid: account }, failed: 'The user cannot be looked at' });
      const listed = isJsonObject(user) && Array.isArray(user.subusers) ? user.subusers : [];
      const names = listed.flatMap((each: JsonValue) => (isJsonObject(each) && typeof each.id === 'string' ? [each.id] : []));
      const prefix = `${account}:${labelPrefix}`;
      return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(account.length + 1));
    },
    async revoke(authority, id) {
      const failed = `The keys ${id} cannot be ended`;
      for (const { access_key: key } of await keysOf(authority, id))
        if (typeof key === 'string')
          await call(authority, {
            ...change,
            method: 'DELETE',
            query: { key: '', uid: account, 'access-key': key, 'key-type': 's3' },
            failed,
          });
      const query = { uid: account, subuser: id, 'purge-keys': 'true' };
      const gone = await call(authority, { ...change, method: 'DELETE', query, failed });
      return gone === undefined ? 'absent' : 'revoked';
    },
    howToRevoke: (id) => `radosgw-admin subuser rm --uid ${encode(account)} --subuser ${id} --purge-keys`,
  };
}

async function areKnown(asker: Asker, address: string, region: string, authority: Secret): Promise<boolean> {
  const { host, pathname } = new URL(address);
  const path = `${pathname.replace(/\/$/, '')}/`;
  const keys = parseKeyPair(authority);
  const { status } = await asker.ask(() => {
    const signed = signInHeader({ method: 'GET', path, query: {}, headers: { host }, payload: sha256(''), date: new Date(), region, keys });
    return { method: 'GET', path: '/', headers: signed.headers };
  });
  return status === 200;
}

function unknownKeys(what: string, fault: 'unknown' | 'disabled' = 'unknown'): Error {
  return unusableAuthority(
    fault,
    `${what}: the gateway does not take these keys`,
    'look at the keys, and at `radosgw-admin user info` of the user whose they are',
  );
}

/** Undefined for what is no code: an answer may repeat what was sent. */
function codeOf(body: JsonValue | undefined): string | undefined {
  return isJsonObject(body) && typeof body.Code === 'string' && /^[A-Za-z0-9.]{1,64}$/.test(body.Code) ? body.Code : undefined;
}

function keysIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((each): each is JsonObject => isJsonObject(each)) : [];
}

function jsonOf(text: string): JsonValue | undefined {
  try {
    return parseJson(Buffer.from(text));
  } catch {
    return undefined;
  }
}

import { lockMode, retainUntil } from './attributes.ts';
import type { Answer, Exchange } from './exchange.ts';
import { findVersion } from './reading.ts';
import { type Refusal, refuse } from './refusal.ts';
import { type Bucket, type State, setVersions, type Version } from './state.ts';
import { document, parse } from './xml.ts';

type Headers = Readonly<Record<string, string>>;

/** Why a version may not be removed now; undefined when it may. */
export function removalRefused(state: State, version: Version, headers: Headers): Refusal | undefined {
  if (state.lies.ignoredObjectLock === true) return undefined;
  const refusal = refuse('AccessDenied', { Message: 'Access Denied because object protected by object lock.' });
  if (version.legalHold) return refusal;
  const { retention } = version;
  if (retention === undefined || retention.until <= state.clock()) return undefined;
  return retention.mode === 'GOVERNANCE' && bypasses(headers) ? undefined : refusal;
}

export function getLockConfiguration(bucket: Bucket): Answer {
  if (!bucket.lock) throw refuse('ObjectLockConfigurationNotFoundError');
  const usual = bucket.defaultRetention;
  const rule = usual === undefined ? undefined : { DefaultRetention: { Mode: usual.mode, Days: usual.days } };
  return { status: 200, body: document('ObjectLockConfiguration', { ObjectLockEnabled: 'Enabled', Rule: rule }) };
}

export async function putLockConfiguration(bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const request = parse((await exchange.receive()).body, 'ObjectLockConfiguration');
  if (request.text('ObjectLockEnabled') !== 'Enabled') throw refuse('MalformedXML');
  if (bucket.versioning !== 'Enabled')
    throw refuse('InvalidBucketState', { Message: "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration" });
  const usual = request.child('Rule')?.child('DefaultRetention');
  bucket.lock = true;
  bucket.defaultRetention = undefined;
  if (usual === undefined) return { status: 200 };
  const days = Number(usual.text('Days') ?? Number(usual.text('Years')) * 365);
  if (!Number.isInteger(days) || days < 1) throw refuse('MalformedXML');
  bucket.defaultRetention = { mode: lockMode(usual.text('Mode')), days };
  return { status: 200 };
}

export function getRetention(state: State, bucket: Bucket, exchange: Exchange): Answer {
  const { retention } = lockable(state, bucket, exchange);
  if (retention === undefined) throw refuse('NoSuchObjectLockConfiguration');
  return { status: 200, body: document('Retention', { Mode: retention.mode, RetainUntilDate: new Date(retention.until).toISOString() }) };
}

export async function putRetention(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const request = parse((await exchange.receive()).body, 'Retention');
  const version = lockable(state, bucket, exchange);
  const now = state.clock();
  const mode = request.text('Mode');
  const next = mode === undefined ? undefined : { mode: lockMode(mode), until: retainUntil(request.text('RetainUntilDate'), now) };
  const before = version.retention;
  if (before !== undefined && before.until > now) {
    const weaker = next === undefined || next.until < before.until || (before.mode === 'COMPLIANCE' && next.mode !== 'COMPLIANCE');
    const allowed = !weaker || (before.mode === 'GOVERNANCE' && bypasses(exchange.headers));
    if (!allowed) throw refuse('AccessDenied', { Message: 'Access Denied because object protected by object lock.' });
  }
  replace(state, bucket, version, { ...version, retention: next });
  return { status: 200 };
}

export function getLegalHold(state: State, bucket: Bucket, exchange: Exchange): Answer {
  const { legalHold } = lockable(state, bucket, exchange);
  return { status: 200, body: document('LegalHold', { Status: legalHold ? 'ON' : 'OFF' }) };
}

export async function putLegalHold(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const status = parse((await exchange.receive()).body, 'LegalHold').text('Status');
  if (status !== 'ON' && status !== 'OFF') throw refuse('MalformedXML');
  const version = lockable(state, bucket, exchange);
  replace(state, bucket, version, { ...version, legalHold: status === 'ON' });
  return { status: 200 };
}

function lockable(state: State, bucket: Bucket, { key = '', query }: Exchange): Version {
  if (!bucket.lock) throw refuse('InvalidRequest', { Message: 'Bucket is missing Object Lock Configuration' });
  const found = findVersion(state, bucket, key, query.get('versionId'));
  if (found === undefined) throw refuse('NoSuchKey', { Key: key });
  return found;
}

function replace(state: State, bucket: Bucket, before: Version, after: Version): void {
  const versions = bucket.versions.get(before.key) ?? [];
  setVersions(
    state,
    bucket,
    before.key,
    versions.map((each) => (each === before ? after : each)),
  );
}

function bypasses(headers: Headers): boolean {
  return headers['x-amz-bypass-governance-retention']?.toLowerCase() === 'true';
}

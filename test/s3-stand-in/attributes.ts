import type { Lies } from './lies.ts';
import { refuse } from './refusal.ts';
import type { Attributes, Bucket, LockMode } from './state.ts';

type Headers = Readonly<Record<string, string>>;

const contentHeaders = ['content-type', 'cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires'];
const storageClasses = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
];
const acls = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
];
const encryptions = ['AES256', 'aws:kms', 'aws:kms:dsse'];
const maximumMetadataBytes = 2048;

/** What the headers of a write say about the object; throws a Refusal for what a store can't do. */
export function attributesOf(headers: Headers, bucket: Bucket, now: number, lies: Lies): Attributes {
  const metadata = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), value]] : [])),
  );
  const bytes = Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > maximumMetadataBytes)
    throw refuse('InvalidRequest', { Message: 'Your metadata headers exceed the maximum allowed metadata size' });
  const acl = oneOf(headers['x-amz-acl'], acls, 'x-amz-acl');
  const storageClass = headers['x-amz-storage-class'] ?? 'STANDARD';
  if (!storageClasses.includes(storageClass)) throw refuse('InvalidStorageClass');
  const encryption = oneOf(headers['x-amz-server-side-encryption'], encryptions, 'x-amz-server-side-encryption');
  if (headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined)
    throw refuse('NotImplemented', { Header: 'x-amz-server-side-encryption-customer-algorithm' });
  if (headers['x-amz-tagging'] !== undefined) throw refuse('NotImplemented', { Header: 'x-amz-tagging' });
  const locked = lockOf(headers, bucket, now);
  if (lies.lostMetadata === true) return { headers: {}, metadata: {}, storageClass, encryption, acl, ...locked };
  return { headers: contentOf(headers), metadata, storageClass, encryption, acl, ...locked };
}

/** The headers that show an object's attributes. */
export function shownAttributes(attributes: Attributes): Record<string, string> {
  const { retention, legalHold, storageClass, encryption } = attributes;
  return {
    'content-type': 'binary/octet-stream',
    ...attributes.headers,
    ...Object.fromEntries(Object.entries(attributes.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    ...(storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': storageClass }),
    ...(encryption === undefined ? {} : { 'x-amz-server-side-encryption': encryption }),
    ...(retention === undefined
      ? {}
      : { 'x-amz-object-lock-mode': retention.mode, 'x-amz-object-lock-retain-until-date': new Date(retention.until).toISOString() }),
    ...(legalHold ? { 'x-amz-object-lock-legal-hold': 'ON' } : {}),
  };
}

/** A date in the future, or a Refusal. */
export function retainUntil(text: string | undefined, now: number): number {
  const until = Date.parse(text ?? '');
  if (Number.isNaN(until)) throw refuse('InvalidArgument', { Message: 'The retain until date must be provided in ISO 8601 format' });
  if (until <= now) throw refuse('InvalidArgument', { Message: 'The retain until date must be in the future!' });
  return until;
}

export function lockMode(text: string | undefined): LockMode {
  if (text !== 'GOVERNANCE' && text !== 'COMPLIANCE') throw refuse('InvalidArgument', { Message: 'Unknown wormMode directive.' });
  return text;
}

function lockOf(headers: Headers, bucket: Bucket, now: number): Pick<Attributes, 'retention' | 'legalHold'> {
  const mode = headers['x-amz-object-lock-mode'];
  const until = headers['x-amz-object-lock-retain-until-date'];
  const hold = headers['x-amz-object-lock-legal-hold'];
  if ((mode !== undefined || until !== undefined || hold !== undefined) && !bucket.lock) {
    throw refuse('InvalidRequest', { Message: 'Bucket is missing Object Lock Configuration' });
  }
  if ((mode === undefined) !== (until === undefined)) {
    throw refuse('InvalidArgument', { Message: 'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied' });
  }
  const legalHold = oneOf(hold, ['ON', 'OFF'], 'x-amz-object-lock-legal-hold') === 'ON';
  if (mode !== undefined) return { retention: { mode: lockMode(mode), until: retainUntil(until, now) }, legalHold };
  const usual = bucket.defaultRetention;
  return { retention: usual === undefined ? undefined : { mode: usual.mode, until: now + usual.days * 86_400_000 }, legalHold };
}

function contentOf(headers: Headers): Record<string, string> {
  const found = contentHeaders.flatMap((name) => {
    // `aws-chunked` is about the way, not about the object.
    const value =
      name === 'content-encoding' ? headers[name]?.replace(/(^|,\s*)aws-chunked(?=,|$)/, '').replace(/^,\s*/, '') : headers[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function oneOf(value: string | undefined, allowed: readonly string[], name: string): string | undefined {
  if (value !== undefined && !allowed.includes(value)) throw refuse('InvalidArgument', { ArgumentName: name, ArgumentValue: value });
  return value;
}

import { createHash, randomBytes } from 'node:crypto';
import type { Lies } from './lies.ts';

/** What the store holds. Everything that changes it is synchronous, so each change is atomic. */
export interface State {
  readonly region: string;
  readonly minimumPartBytes: number;
  readonly lies: Lies;
  readonly clock: () => number;
  readonly buckets: Map<string, Bucket>;
}

export interface Bucket {
  readonly name: string;
  /** Whether it belongs to the store's own credentials. */
  readonly own: boolean;
  readonly createdAt: number;
  /** The versions of each key, oldest first. */
  readonly versions: Map<string, readonly Version[]>;
  readonly uploads: Map<string, Upload>;
  /** What was answered to complete requests that took place, by upload: they may be repeated. */
  readonly completed: Map<string, { readonly key: string; readonly request: string; readonly answer: string }>;
  /** What each key showed from when on; the lies about time look back into it. */
  readonly journal: { readonly at: number; readonly key: string; readonly shown: Version | undefined }[];
  versioning: 'Enabled' | 'Suspended' | undefined;
  lock: boolean;
  defaultRetention: { readonly mode: LockMode; readonly days: number } | undefined;
  /** The keys that show something, in the order of their UTF-8 bytes; undefined after a change. */
  sorted: readonly string[] | undefined;
}

export type LockMode = 'GOVERNANCE' | 'COMPLIANCE';

/** What a writer says about an object besides its bytes. */
export interface Attributes {
  /** Content-Type and its like, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: string | undefined;
  readonly acl: string | undefined;
  readonly retention: { readonly mode: LockMode; readonly until: number } | undefined;
  readonly legalHold: boolean;
}

export interface Version extends Attributes {
  readonly key: string;
  readonly versionId: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly deleteMarker: boolean;
  readonly checksum: Checksum | undefined;
  /** The sizes of the parts of a multipart object. */
  readonly partSizes: readonly number[] | undefined;
}

export interface Checksum {
  readonly algorithm: string;
  readonly value: string;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

export interface Upload {
  readonly uploadId: string;
  readonly key: string;
  readonly startedAt: number;
  readonly attributes: Attributes;
  readonly checksum: { readonly algorithm: string; readonly type: Checksum['type'] } | undefined;
  /** In the order in which they came. */
  readonly parts: Map<number, Part>;
}

export interface Part {
  readonly number: number;
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly checksum: string | undefined;
}

export function newBucket(
  name: string,
  at: number,
  { own = true, lock = false }: { readonly own?: boolean; readonly lock?: boolean } = {},
): Bucket {
  return {
    name,
    own,
    createdAt: at,
    versions: new Map(),
    uploads: new Map(),
    completed: new Map(),
    journal: [],
    versioning: lock ? 'Enabled' : undefined,
    lock,
    defaultRetention: undefined,
    sorted: undefined,
  };
}

/** What a key shows: its newest version, unless that is a delete marker. */
export function shown(bucket: Bucket, key: string): Version | undefined {
  const newest = bucket.versions.get(key)?.at(-1);
  return newest?.deleteMarker === true ? undefined : newest;
}

/** What a key showed at a time; only a store that lies about time asks. */
export function shownAt(bucket: Bucket, key: string, at: number): Version | undefined {
  return bucket.journal.findLast((entry) => entry.key === key && entry.at <= at)?.shown;
}

/** Makes a version the newest of its key, in place of the unversioned one where the bucket keeps no versions. */
export function addVersion(state: State, bucket: Bucket, version: Omit<Version, 'versionId' | 'modifiedAt'>): Version {
  const versionId = bucket.versioning === 'Enabled' ? randomBytes(16).toString('base64url') : 'null';
  const added: Version = { ...version, versionId, modifiedAt: state.clock() };
  const before = bucket.versions.get(version.key) ?? [];
  setVersions(state, bucket, version.key, [...before.filter((each) => each.versionId !== versionId), added]);
  return added;
}

/** Changes the versions of a key; none is the end of the key. */
export function setVersions(state: State, bucket: Bucket, key: string, versions: readonly Version[]): void {
  if (versions.length === 0) bucket.versions.delete(key);
  else bucket.versions.set(key, versions);
  bucket.sorted = undefined;
  if (state.lies.staleList === true || state.lies.staleRead === true) {
    bucket.journal.push({ at: state.clock(), key, shown: shown(bucket, key) });
  }
}

/** The keys that have a version at all, in the order of their UTF-8 bytes. */
export function sortedKeys(bucket: Bucket): readonly string[] {
  bucket.sorted ??= inByteOrder([...bucket.versions.keys()]);
  return bucket.sorted;
}

export function inByteOrder(keys: readonly string[]): readonly string[] {
  return keys
    .map((key) => ({ key, bytes: Buffer.from(key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ key }) => key);
}

export function md5(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}

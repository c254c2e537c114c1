import { parseAddress } from './content/address.ts';
import { parseRelativePath } from './content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from './error.ts';
import { decodeCbor } from './format/cbor.ts';
import type { JsonObject } from './format/json.ts';
import { isPlainObject } from './format/json-value.ts';

/**
 * The manifest of a sealed package, format version 1 (docs/format.md). Its canonical CBOR bytes are the package's
 * identity.
 */
export interface Manifest {
  readonly manifest_version: 1;
  readonly package: {
    readonly id: string;
    readonly name: string;
    readonly producer: string;
    readonly subject: string;
    readonly retention_class: string;
    readonly metadata: JsonObject;
    readonly metadata_schema_slug: string | null;
    readonly created_at: string;
    readonly created_by: string;
  };
  /** By `relative_path`, bytewise on UTF-8. At most `maximumFiles`. */
  readonly files: readonly ManifestFile[];
  /** In the order of `files`: where each file was stored at the moment of sealing. */
  readonly storage_receipts: readonly StorageReceipt[];
  readonly retention_summary: { readonly retention_class: string; readonly expires_at: string | null };
  readonly provenance: {
    readonly finalized_at: string;
    readonly finalized_by: string;
    readonly registry_id: string;
    readonly software: string;
  };
}

export interface ManifestFile {
  readonly id: string;
  readonly relative_path: string;
  readonly media_type: string;
  readonly size_bytes: number;
  /** Names the algorithm of `digest_primary`. */
  readonly digest_algorithm: string;
  /** Lowercase hex, without the algorithm. */
  readonly digest_primary: string;
  readonly digest_sha256: string;
  /** `<digest_algorithm>:<digest_primary>`. */
  readonly content_address: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface StorageReceipt {
  readonly file_id: string;
  readonly backend_id: string;
  readonly object_key: string;
  readonly content_address: string;
  readonly stored_at: string;
}

export const maximumFiles = 100_000;

/**
 * The manifest that `source` is: its CBOR bytes, or the value that these or its JSON were decoded to. Everything that
 * `Manifest` promises is checked, and what a reader acts on: legal paths, each once; whole sizes; digests that agree
 * with the address. Members that a later version adds are kept. Throws `integrity_failure` with the place as a JSON
 * pointer in `field`; `name` is what the message calls the manifest.
 */
export function parseManifest(source: unknown, name = 'The manifest'): Manifest {
  const refuse: Refuse = (at, reason, cause) => {
    throw new ArtifactstoreError('integrity_failure', `${name} can't be read as a manifest: ${reason}.`, {
      ...(at === '' ? {} : { field: at }),
      ...(cause === undefined ? {} : { cause }),
    });
  };
  let value = source;
  try {
    if (source instanceof Uint8Array) value = decodeCbor(source);
  } catch (cause) {
    refuse('', reasonOf(cause), cause);
  }
  return isManifest(value, refuse) ? value : refuse('', 'it is none');
}

/** A file of a manifest that is read file by file; the same checks, but not whether another has its path. */
export function parseManifestFile(value: unknown, index: number): ManifestFile {
  checkFile(value, index, new Set(), (at, reason, cause) => {
    throw new ArtifactstoreError('integrity_failure', `The manifest can't be read as a manifest: ${reason}.`, { field: at, cause });
  });
  return value as ManifestFile;
}

type Refuse = (at: string, reason: string, cause?: unknown) => never;
type Kind = 'text' | 'text or nothing' | 'object';
type Members = readonly (readonly [name: string, kind: Kind])[];

const packageMembers: Members = [
  ['id', 'text'],
  ['name', 'text'],
  ['producer', 'text'],
  ['subject', 'text'],
  ['retention_class', 'text'],
  ['metadata', 'object'],
  ['metadata_schema_slug', 'text or nothing'],
  ['created_at', 'text'],
  ['created_by', 'text'],
];
const fileMembers: Members = [
  ['id', 'text'],
  ['relative_path', 'text'],
  ['media_type', 'text'],
  ['digest_algorithm', 'text'],
  ['digest_primary', 'text'],
  ['digest_sha256', 'text'],
  ['content_address', 'text'],
  ['annotations', 'object'],
];
const receiptMembers: Members = [
  ['file_id', 'text'],
  ['backend_id', 'text'],
  ['object_key', 'text'],
  ['content_address', 'text'],
  ['stored_at', 'text'],
];
const retentionMembers: Members = [
  ['retention_class', 'text'],
  ['expires_at', 'text or nothing'],
];
const provenanceMembers: Members = [
  ['finalized_at', 'text'],
  ['finalized_by', 'text'],
  ['registry_id', 'text'],
  ['software', 'text'],
];

/** True, or it refuses. */
function isManifest(value: unknown, refuse: Refuse): value is Manifest {
  const manifest = isPlainObject(value) ? value : refuse('', 'it is no object');
  if (manifest.manifest_version === undefined) refuse('/manifest_version', 'it has no manifest_version');
  if (manifest.manifest_version !== 1)
    refuse('/manifest_version', `its version is ${JSON.stringify(manifest.manifest_version)}, and this software reads 1`);
  members(manifest.package, '/package', packageMembers, refuse);
  members(manifest.retention_summary, '/retention_summary', retentionMembers, refuse);
  members(manifest.provenance, '/provenance', provenanceMembers, refuse);
  const seen = new Set<unknown>();
  for (const [index, file] of listOf(manifest.files, '/files', refuse).entries()) checkFile(file, index, seen, refuse);
  for (const [index, receipt] of listOf(manifest.storage_receipts, '/storage_receipts', refuse).entries())
    members(receipt, '/storage_receipts', receiptMembers, refuse, index);
  return true;
}

function checkFile(value: unknown, index: number, seen: Set<unknown>, refuse: Refuse): void {
  const file = members(value, '/files', fileMembers, refuse, index);
  const { relative_path: path, size_bytes: size, digest_algorithm: algorithm, annotations } = file;
  const fault = (member: string, reason: string, cause?: unknown): never => refuse(`/files/${index}/${member}`, reason, cause);
  // There may be 100,000 of them: a place is put into words only when it is needed.
  let member = 'relative_path';
  try {
    parseRelativePath(String(path));
    member = 'content_address';
    if (parseAddress(String(file.content_address)) !== `${algorithm}:${file.digest_primary}`)
      fault(member, `the digests of "${path}" contradict each other`);
    member = 'digest_sha256';
    parseAddress(`sha256:${file.digest_sha256}`);
  } catch (cause) {
    if (isArtifactstoreError(cause, 'integrity_failure')) throw cause;
    fault(member, reasonOf(cause), cause);
  }
  if (seen.has(path)) fault('relative_path', `it names "${path}" twice`);
  seen.add(path);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) fault('size_bytes', `the size of "${path}" is no whole number`);
  for (const [key, text] of Object.entries(annotations ?? {}))
    if (typeof text !== 'string') fault('annotations', `the annotation "${key}" of "${path}" is no text`);
}

/** The record, when it has these members; the one at `index` of a list, where there is one. */
function members(value: unknown, at: string, wanted: Members, refuse: Refuse, index?: number): Readonly<Record<string, unknown>> {
  const place = (): string => (index === undefined ? at : `${at}/${index}`);
  if (!isPlainObject(value)) return refuse(place(), `${place()} is not there, or is no object`);
  for (const [name, kind] of wanted)
    if (!fits(value[name], kind)) refuse(`${place()}/${name}`, `${place()}/${name} is not there, or is not ${kind}`);
  return value;
}

function fits(value: unknown, kind: Kind): boolean {
  if (kind === 'object') return isPlainObject(value);
  return typeof value === 'string' || (kind === 'text or nothing' && value === null);
}

function listOf(value: unknown, at: string, refuse: Refuse): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(at, `${at} is not there, or is no list`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
}

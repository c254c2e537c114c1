import { parseAddress } from '../../kernel/content/address.ts';
import { blake3, toHex } from '../../kernel/content/digest.ts';
import type { FileFacts } from '../../kernel/content/files-digest.ts';
import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { decodeCbor } from '../../kernel/format/cbor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json.ts';
import { parseId } from '../../kernel/id.ts';
import { maximumFiles } from '../../kernel/manifest.ts';
import type { Package } from '../../registry/REGISTRY.ts';
import { mostManifestValues } from './source-bounds.ts';

/** A file of a sealed package, as the manifest of another registry has it. */
export interface SourceFile extends FileFacts {
  readonly id: string;
  readonly media_type: string;
  readonly digest_algorithm: string;
  readonly digest_primary: string;
  readonly content_address: string;
}

/** What a copy needs of a manifest; 0.1 and this version have these members in common. */
export interface SourceManifest {
  /** Of the registry in which the package was sealed; undefined where its manifest does not say it. */
  readonly registryId: string | undefined;
  /** `blake3:` over the CBOR bytes. */
  readonly digest: string;
  /** When and by whom it was sealed, as far as the manifest says it. */
  readonly finalizedAt: string | undefined;
  readonly finalizedBy: string | undefined;
  readonly files: readonly SourceFile[];
}

/**
 * Reads the manifest that a source has sent for a package, and believes it as far as it can be checked: its bytes have
 * the digest of the package's record, it is of this package, and each file has a legal path and digests. Throws
 * `integrity_failure`; `invalid_path` for a path that no package can hold; `too_many_files`.
 */
export function readSourceManifest(bytes: Uint8Array, record: Pick<Package, 'id' | 'manifest_digest'>): SourceManifest {
  const digest = `blake3:${toHex(blake3(bytes))}`;
  if (record.manifest_digest !== null && record.manifest_digest !== digest)
    throw wrong(`has the digest ${digest}, and the record of the package says ${record.manifest_digest}`);
  let value: JsonValue;
  try {
    value = decodeCbor(bytes, mostManifestValues);
  } catch (cause) {
    throw wrong(`is not canonical CBOR: ${cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause)}`, cause);
  }
  const manifest = isJsonObject(value) ? value : {};
  const described = objectIn(manifest, 'package');
  if (described.id !== record.id) throw wrong(`is of package ${typeof described.id === 'string' ? described.id : 'none'}`);
  if (!Array.isArray(manifest.files)) throw wrong('has no list of files');
  if (manifest.files.length > maximumFiles)
    throw new ArtifactstoreError('too_many_files', `The package has ${manifest.files.length} files; one holds ${maximumFiles}.`);
  const seen = new Set<string>();
  const files = manifest.files.map((file: JsonValue, index) => {
    const read = readFile(file, index);
    if (seen.has(read.relative_path)) throw wrong(`names "${read.relative_path}" twice`);
    seen.add(read.relative_path);
    return read;
  });
  const provenance = objectIn(manifest, 'provenance');
  return {
    registryId: textIn(provenance, 'registry_id'),
    digest,
    finalizedAt: textIn(provenance, 'finalized_at'),
    finalizedBy: textIn(provenance, 'finalized_by'),
    files,
  };
}

function readFile(value: JsonValue, index: number): SourceFile {
  if (!isJsonObject(value)) throw wrong(`has no object as its file ${index}`);
  const need = (member: string): string => {
    const text = textIn(value, member);
    if (text === undefined) throw wrong(`has no ${member} for its file ${index}`);
    return text;
  };
  const relative_path = parseRelativePath(need('relative_path'), `/files/${index}/relative_path`);
  const { size_bytes } = value;
  if (typeof size_bytes !== 'number' || !Number.isSafeInteger(size_bytes) || size_bytes < 0)
    throw wrong(`has no whole number as the size of "${relative_path}"`);
  const [id, digest_algorithm, digest_primary] = [need('id'), need('digest_algorithm'), need('digest_primary')];
  const digest_sha256 = need('digest_sha256');
  try {
    parseId(id);
    parseAddress(`${digest_algorithm}:${digest_primary}`);
    parseAddress(`sha256:${digest_sha256}`);
  } catch (cause) {
    throw wrong(`has no legal id and digests for "${relative_path}"`, cause);
  }
  const content_address = `${digest_algorithm}:${digest_primary}`;
  if (textIn(value, 'content_address') !== content_address || (digest_algorithm === 'sha256' && digest_primary !== digest_sha256))
    throw wrong(`contradicts itself about the digests of "${relative_path}"`);
  return {
    id,
    relative_path,
    media_type: textIn(value, 'media_type') ?? 'application/octet-stream',
    size_bytes,
    digest_algorithm,
    digest_primary,
    digest_sha256,
    content_address,
    annotations: annotationsOf(value.annotations, relative_path),
  };
}

function annotationsOf(value: JsonValue | undefined, path: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw wrong(`has no object as the annotations of "${path}"`);
  const entries = Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string') throw wrong(`has no text as the annotation "${key}" of "${path}"`);
    return [key, text] as const;
  });
  return Object.fromEntries(entries);
}

function objectIn(value: JsonObject, member: string): JsonObject {
  const inner = value[member];
  return isJsonObject(inner) ? inner : {};
}

function textIn(value: JsonObject, member: string): string | undefined {
  const text = value[member];
  return typeof text === 'string' ? text : undefined;
}

function wrong(what: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The manifest ${what}.`, cause === undefined ? {} : { cause });
}

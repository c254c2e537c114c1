import type { JsonObject, JsonValue } from '../../kernel/format/json.ts';
import type { NewPackage, Package } from '../../registry/REGISTRY.ts';
import type { SourceManifest } from './source-records.ts';

/** The member of a copy's metadata by which packages are found: `<registry id>/<package id>`. */
export const originKey = 'artifactstore_origin';
/** The member that says what the original was. */
export const importKey = 'artifactstore_import';

/** Which package of which registry a copy is of. */
export interface Origin {
  /** `unknown` where the manifest of the source does not say it, as some of 0.1 may not. */
  readonly registryId: string;
  readonly packageId: string;
}

export function originOf(manifest: Pick<SourceManifest, 'registryId'>, record: Pick<Package, 'id'>): Origin {
  const { registryId } = manifest;
  const isOneWord = registryId !== undefined && /^[\x21-\x2e\x30-\x7e]{1,128}$/.test(registryId);
  return { registryId: isOneWord ? registryId : 'unknown', packageId: record.id };
}

export function originText({ registryId, packageId }: Origin): string {
  return `${registryId}/${packageId}`;
}

/** Of the `attempt`th copy, from 1: one whose package was ended is made again under another key. */
export function copyKey(origin: Origin, attempt: number): string {
  return `import-${originText(origin)}${attempt === 1 ? '' : `-${attempt}`}`;
}

/**
 * What a copy is made with. It depends on the sealed original alone, so that whoever copies it, from whichever machine,
 * asks for the same package. What the original has under our two names, being a copy itself, is kept inside.
 */
export function copyInput(record: Package, manifest: SourceManifest, origin: Origin): NewPackage {
  const { [originKey]: earlierOrigin, [importKey]: earlierImport, ...metadata } = record.metadata;
  const earlier = { ...given(originKey, earlierOrigin), ...given(importKey, earlierImport) };
  const original: JsonObject = {
    registry_id: origin.registryId,
    package_id: origin.packageId,
    manifest_digest: manifest.digest,
    created_at: record.created_at,
    created_by: record.created_by ?? null,
    finalized_at: manifest.finalizedAt ?? null,
    finalized_by: manifest.finalizedBy ?? null,
    ...(Object.keys(earlier).length === 0 ? {} : { metadata: earlier }),
  };
  return { ...plainInput(record), metadata: { ...metadata, [originKey]: originText(origin), [importKey]: original } };
}

/** The same with the metadata of the original and nothing else, for a schema that takes no other members. */
export function plainInput({ name, producer, subject, retention_class, metadata, metadata_schema_slug }: Package): NewPackage {
  return { name, producer, subject, retention_class, metadata, metadata_schema_slug: metadata_schema_slug ?? null };
}

/** The ids of the packages that a package is a copy of, the nearest first: a copy can be of a copy. */
export function originalsOf({ metadata }: Pick<Package, 'metadata'>): readonly string[] {
  const ids: string[] = [];
  let own: JsonValue | undefined = metadata;
  while (ids.length < longestChain) {
    const imported: JsonValue | undefined = member(own, importKey);
    const id = member(imported, 'package_id');
    if (typeof id !== 'string') return ids;
    ids.push(id);
    own = member(imported, 'metadata');
  }
  return ids;
}

/** Nobody copies a copy so often; what somebody else wrote may have no end. */
const longestChain = 32;

function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as JsonObject)[key];
}

function given(key: string, value: JsonValue | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value };
}

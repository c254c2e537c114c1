import { blake3, sha256, toHex } from '../../kernel/content/digest.ts';
import { encodeCbor } from '../../kernel/format/cbor.ts';
import type { NewEvent, SubjectKind } from '../../kernel/log/event.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';

export const actor = 'conformance';
export const backend_id = 'local';

export function event<T extends NewEvent['event_type']>(
  event_type: T,
  subject_kind: SubjectKind,
  subject_id: string,
  payload: Extract<NewEvent, { event_type: T }>['payload'],
): NewEvent {
  return { event_type, subject_kind, subject_id, actor, payload } as NewEvent;
}

export function packageCreated(
  id: string,
  name: string,
  metadata: Extract<NewEvent, { event_type: 'v1.package.created' }>['payload']['metadata'] = {},
): NewEvent {
  return event('v1.package.created', 'package', id, {
    id,
    name,
    producer: name.slice(0, 16),
    subject: 'conformance',
    retention_class: 'transient',
    metadata,
    metadata_schema_slug: null,
  });
}

export function fileEntry(id: string, relative_path: string, content: string): ManifestFile {
  const bytes = encodeCbor(content);
  const digest_primary = toHex(blake3(bytes));
  return {
    id,
    relative_path,
    media_type: 'application/octet-stream',
    size_bytes: bytes.length,
    digest_algorithm: 'blake3',
    digest_primary,
    digest_sha256: toHex(sha256(bytes)),
    content_address: `blake3:${digest_primary}`,
    annotations: { mode: 'executable' },
  };
}

export function ingested(file: ManifestFile, package_id: string, location_id: string, generation: number, made_live: boolean): NewEvent {
  const object_key = `${file.content_address}.${generation}`;
  return event('v1.file.ingested', 'file', file.id, {
    ...file,
    package_id,
    location: { id: location_id, backend_id, object_key, generation, made_live },
  });
}

/** In another backend, which has the object now. */
export function added(file: ManifestFile, package_id: string, location_id: string): NewEvent {
  const { content_address, digest_sha256, size_bytes } = file;
  return event('v1.storage.location_added', 'location', location_id, {
    location_id,
    file_id: file.id,
    package_id,
    backend_id: 'archive',
    content_address,
    generation: 0,
    object_key: `${content_address}.0`,
    digest_sha256,
    size_bytes,
    made_live: true,
  });
}

export function deleted(
  file: ManifestFile,
  package_id: string,
  location_id: string,
  generation: number,
  bytes: 'release' | 'shared',
): NewEvent {
  return event('v1.storage.location_deleted', 'location', location_id, {
    location_id,
    file_id: file.id,
    package_id,
    backend_id,
    content_address: file.content_address,
    generation,
    object_key: `${file.content_address}.${generation}`,
    bytes,
  });
}

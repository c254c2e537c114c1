import { type ContentAddress, formatAddress } from '../../src/kernel/content/address.ts';
import { blake3, sha256, toHex, utf8 } from '../../src/kernel/content/digest.ts';
import { objectKey } from '../../src/kernel/content/key.ts';
import { uuidv7 } from '../../src/kernel/id.ts';
import {
  chainStart,
  type EventPayloads,
  type EventType,
  type LogHead,
  linkEvent,
  type NewEvent,
  type StoredEvent,
} from '../../src/kernel/log/event.ts';
import type { Manifest, ManifestFile } from '../../src/kernel/manifest.ts';
import { formatTimestamp, type Timestamp } from '../../src/kernel/time.ts';

const start = Date.UTC(2026, 2, 1, 12);
const actor = 'ci';
const registryId = id(1);

function at(step: number): Timestamp {
  return formatTimestamp(start + step * 250);
}

/** The ids of the vectors: version 7, with a number instead of randomness. */
function id(number: number): string {
  const random = new Uint8Array(10);
  random[9] = number;
  return uuidv7(start, random);
}

export const fileA: ManifestFile = manifestFile(id(4), 'hello.txt', 'text/plain', utf8('hello, evidence\n'), {});
const fileB = manifestFile(id(6), 'bin/run.sh', 'application/x-sh', utf8('#!/bin/sh\nexit 0\n'), { mode: 'executable' });
const fileD = manifestFile(id(16), 'moved.txt', 'text/plain', utf8('moved to another place\n'), {});

function manifestFile(
  fileId: string,
  relative_path: string,
  media_type: string,
  bytes: Uint8Array,
  annotations: Readonly<Record<string, string>>,
): ManifestFile {
  const digest_primary = toHex(blake3(bytes));
  return {
    id: fileId,
    relative_path,
    media_type,
    size_bytes: bytes.length,
    digest_algorithm: 'blake3',
    digest_primary,
    digest_sha256: toHex(sha256(bytes)),
    content_address: formatAddress('blake3', digest_primary),
    annotations,
  };
}

function ingested(
  file: ManifestFile,
  packageId: string,
  locationId: string,
  generation: number,
  madeLive: boolean,
): EventPayloads['v1.file.ingested'] {
  return {
    ...file,
    package_id: packageId,
    location: {
      id: locationId,
      backend_id: 'local',
      object_key: objectKey(file.content_address as ContentAddress, generation),
      generation,
      made_live: madeLive,
    },
  };
}

/** The log of one package with two files, from its creation to its seal, and the manifest of that. */
export function sealedPackage(): { readonly chain: readonly StoredEvent[]; readonly manifest: Manifest } {
  const log = startLog();
  const packageId = id(2);
  const expires_at = formatTimestamp(start + 365 * 86_400_000);
  const metadata = { build: 42, branch: 'main', ratio: 0.25 };
  const created = {
    id: packageId,
    name: 'nightly 42',
    producer: 'ci',
    subject: 'artifactstore',
    retention_class: 'summary-evidence',
    metadata,
    metadata_schema_slug: null,
  };
  log.append(0, 'v1.package.created', 'package', packageId, created);
  log.append(0, 'v1.retention.default_applied', 'package', packageId, {
    package_id: packageId,
    retention_class: 'summary-evidence',
    expires_at,
  });
  log.append(1, 'v1.file.ingested', 'file', fileA.id, ingested(fileA, packageId, id(5), 0, true));
  log.append(2, 'v1.file.ingested', 'file', fileB.id, ingested(fileB, packageId, id(7), 0, true));
  const manifest: Manifest = {
    manifest_version: 1,
    package: { ...created, created_at: at(0), created_by: actor },
    files: [fileB, fileA],
    storage_receipts: [receipt(fileB, at(2)), receipt(fileA, at(1))],
    retention_summary: { retention_class: 'summary-evidence', expires_at },
    provenance: { finalized_at: at(3), finalized_by: actor, registry_id: registryId, software: 'artifactstore/0.2.0' },
  };
  log.append(3, 'v1.package.finalized', 'package', packageId, manifest);
  return { chain: log.events, manifest };
}

function receipt(file: ManifestFile, stored_at: string): Manifest['storage_receipts'][number] {
  return {
    file_id: file.id,
    backend_id: 'local',
    object_key: objectKey(file.content_address as ContentAddress, 0),
    content_address: file.content_address,
    stored_at,
  };
}

/**
 * A life in which everything happens once: sealed, extended, held, damaged, repaired, collected; and a package that was
 * given up.
 */
export function everyEvent(): readonly StoredEvent[] {
  const log = startLog();
  const { append } = log;
  const [first, second, holdId] = [id(2), id(8), id(10)];
  const { content_address } = fileA;
  const key = (generation: number) => objectKey(content_address as ContentAddress, generation);
  const fileC: ManifestFile = { ...fileA, id: id(11), relative_path: 'again.txt' };
  append(0, 'v1.metadata_schema.registered', 'metadata_schema', 'build.v1', {
    slug: 'build.v1',
    json_schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', required: ['build'] },
  });
  const created = {
    id: first,
    name: 'nightly',
    producer: 'ci',
    subject: 'main',
    retention_class: 'transient',
    metadata: { build: 7, tags: ['a'], ok: true },
    metadata_schema_slug: 'build.v1',
  };
  append(1, 'v1.package.created', 'package', first, created);
  append(1, 'v1.retention.default_applied', 'package', first, { package_id: first, retention_class: 'transient', expires_at: at(100) });
  append(2, 'v1.file.ingested', 'file', fileA.id, ingested(fileA, first, id(5), 0, true));
  append(3, 'v1.package.created', 'package', second, {
    ...created,
    id: second,
    retention_class: 'permanent-record',
    metadata: {},
    metadata_schema_slug: null,
  });
  append(3, 'v1.retention.default_applied', 'package', second, {
    package_id: second,
    retention_class: 'permanent-record',
    expires_at: null,
  });
  append(4, 'v1.file.ingested', 'file', fileC.id, ingested(fileC, second, id(12), 0, false));
  append(5, 'v1.storage.location_verified', 'backend', 'local', { backend_id: 'local', result: 'ok', location_ids: [id(5), id(12)] });
  append(6, 'v1.storage.location_verified', 'backend', 'local', {
    backend_id: 'local',
    result: 'failed',
    location_ids: [id(5), id(12)],
    content_address,
    reason: 'it does not match its digest',
  });
  append(7, 'v1.storage.object_burnt', 'object', content_address, { backend_id: 'local', content_address, generation: 1 });
  append(8, 'v1.storage.object_repaired', 'object', content_address, {
    backend_id: 'local',
    content_address,
    previous_generation: 0,
    generation: 2,
    object_key: key(2),
    location_ids: [id(5), id(12)],
  });
  append(8, 'v1.file.ingested', 'file', id(13), ingested({ ...fileA, id: id(13), relative_path: 'third.txt' }, first, id(14), 2, false));
  append(9, 'v1.storage.object_burnt', 'object', fileB.content_address, {
    backend_id: 'local',
    content_address: fileB.content_address,
    generation: 0,
  });
  append(10, 'v1.package.finalized', 'package', first, {
    manifest_version: 1,
    package: { ...created, created_at: at(1), created_by: actor },
    files: [fileA, { ...fileA, id: id(13), relative_path: 'third.txt' }],
    storage_receipts: [
      { ...receipt(fileA, at(2)), object_key: key(2) },
      { ...receipt(fileA, at(8)), file_id: id(13), object_key: key(2) },
    ],
    retention_summary: { retention_class: 'transient', expires_at: at(100) },
    provenance: { finalized_at: at(10), finalized_by: actor, registry_id: registryId, software: 'artifactstore/0.2.0' },
  });
  append(101, 'v1.retention.marked_eligible', 'package', first, { package_id: first, expires_at: at(100) });
  append(102, 'v1.retention.hold_applied', 'package', first, { package_id: first, hold_id: holdId, reason: 'audit' });
  append(102, 'v1.retention.eligibility_cleared', 'package', first, { package_id: first, cause: 'held' });
  append(103, 'v1.retention.hold_released', 'package', first, { package_id: first, hold_id: holdId, reason: null });
  append(104, 'v1.retention.extended', 'package', first, {
    package_id: first,
    previous_expires_at: at(100),
    new_expires_at: at(110),
    reason: 'one more look',
  });
  append(105, 'v2.something.unknown' as EventType, 'package', first, { what: 'a reader skips it' } as never);
  append(111, 'v1.retention.marked_eligible', 'package', first, { package_id: first, expires_at: at(110) });
  append(112, 'v1.package.abandoned', 'package', second, { package_id: second, cause: 'requested', reason: null });
  const deleted = { backend_id: 'local', content_address, generation: 2, object_key: key(2) };
  append(113, 'v1.storage.location_deleted', 'location', id(5), {
    location_id: id(5),
    file_id: fileA.id,
    package_id: first,
    ...deleted,
    bytes: 'shared',
  });
  append(113, 'v1.storage.location_deleted', 'location', id(14), {
    location_id: id(14),
    file_id: id(13),
    package_id: first,
    ...deleted,
    bytes: 'shared',
  });
  append(113, 'v1.package.garbage_collected', 'package', first, { package_id: first, location_count: 2 });
  append(114, 'v1.storage.location_deleted', 'location', id(12), {
    location_id: id(12),
    file_id: fileC.id,
    package_id: second,
    ...deleted,
    bytes: 'release',
  });
  // A package whose bytes are moved to another backend.
  const moved = id(15);
  append(120, 'v1.package.created', 'package', moved, { ...created, id: moved, metadata: {}, metadata_schema_slug: null });
  append(120, 'v1.retention.default_applied', 'package', moved, { package_id: moved, retention_class: 'transient', expires_at: at(220) });
  append(121, 'v1.file.ingested', 'file', fileD.id, ingested(fileD, moved, id(17), 0, true));
  const place = {
    file_id: fileD.id,
    package_id: moved,
    content_address: fileD.content_address,
    generation: 0,
    object_key: objectKey(fileD.content_address as ContentAddress, 0),
  };
  append(122, 'v1.storage.location_added', 'location', id(18), {
    location_id: id(18),
    backend_id: 'archive',
    ...place,
    digest_sha256: fileD.digest_sha256,
    size_bytes: fileD.size_bytes,
    made_live: true,
  });
  append(122, 'v1.storage.location_deleted', 'location', id(17), { location_id: id(17), backend_id: 'local', ...place, bytes: 'release' });
  return log.events;
}

interface LogBuilder {
  readonly events: readonly StoredEvent[];
  append<T extends EventType>(step: number, type: T, kind: NewEvent['subject_kind'], subjectId: string, payload: EventPayloads[T]): void;
}

function startLog(): LogBuilder {
  const events: StoredEvent[] = [];
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  return {
    events,
    append(step, event_type, subject_kind, subject_id, payload) {
      const sealed = linkEvent(head, at(step), { event_type, subject_kind, subject_id, actor, payload } as NewEvent);
      events.push(sealed);
      head = sealed;
    },
  };
}

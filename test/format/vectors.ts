import { type ContentAddress, formatAddress } from '../../src/kernel/content/address.ts';
import { blake3, sha256, toHex, utf8 } from '../../src/kernel/content/digest.ts';
import { objectKey } from '../../src/kernel/content/key.ts';
import { decodeCbor, encodeCbor } from '../../src/kernel/format/cbor.ts';
import { canonicalJson, type JsonValue } from '../../src/kernel/format/json.ts';
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
import { fold, metadataTerm } from '../../src/kernel/views/fold.ts';
import { type ViewTable, viewKeys } from '../../src/kernel/views/view.ts';

/** What docs/format-vectors.json holds. Binary values are lowercase hex, JSON values are their RFC 8785 text. */
export interface Vectors {
  readonly format_version: 1;
  /** `length` bytes of 00 01 02 … fa 00 01 …: byte i is i mod 251. */
  readonly digests: readonly { readonly length: number; readonly blake3: string; readonly sha256: string }[];
  readonly block_digests: { readonly length: number; readonly block_bytes: number; readonly digests: string };
  readonly content_addresses: { readonly legal: readonly string[]; readonly refused: readonly string[] };
  readonly relative_paths: { readonly legal: readonly string[]; readonly refused: readonly string[]; readonly ordered: readonly string[] };
  readonly object_keys: readonly { readonly content_address: string; readonly generation: number; readonly object_key: string }[];
  readonly cbor: readonly { readonly jcs: string; readonly cbor: string }[];
  readonly cbor_refused: readonly { readonly cbor: string; readonly why: string }[];
  readonly metadata_terms: readonly { readonly key: string; readonly value: string; readonly term: string }[];
  readonly manifest: { readonly jcs: string; readonly cbor: string; readonly digest: string };
  /** A log whose last payload is the manifest above. */
  readonly chain: readonly EventVector[];
  /** A log with every type of event, and the rows of every view after it, as objects in the order of their keys. */
  readonly log: readonly EventVector[];
  readonly views: Readonly<Record<ViewTable, readonly JsonValue[]>>;
}

export interface EventVector {
  readonly sequence: number;
  readonly created_at: string;
  readonly event_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor: string;
  readonly payload_jcs: string;
  readonly payload: string;
  readonly payload_digest: string;
  /** The canonical CBOR that is hashed after the previous chain digest. */
  readonly link: string;
  readonly chain_digest: string;
}

export function buildVectors(): Vectors {
  const { chain, manifest } = sealedPackage();
  const log = everyEvent();
  return {
    format_version: 1,
    digests: [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 3072, 3073, 5121, 65_537].map((length) => ({
      length,
      blake3: toHex(blake3(pattern(length))),
      sha256: toHex(sha256(pattern(length))),
    })),
    block_digests: blockDigests(1_048_577),
    content_addresses: {
      legal: [`blake3:${'0a'.repeat(32)}`, `sha256:${'ff'.repeat(32)}`, 'x-other_1:00'],
      refused: [
        '',
        ':',
        'blake3',
        `blake3:`,
        ':00',
        `BLAKE3:${'0a'.repeat(32)}`,
        `blake3:${'0A'.repeat(32)}`,
        'blake3:0a',
        'x:0',
        '1x:00',
        'x:00 ',
        'x:0g',
      ],
    },
    relative_paths: {
      legal: [
        'a',
        'reports/2026/first run.pdf',
        '.hidden',
        '...',
        'a/..b',
        ' ',
        'caf\u00e9',
        'cafe\u0301',
        '\u{1f600}',
        '%2F',
        'con',
        'a:b',
        'é'.repeat(512),
      ],
      refused: [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        'a/./b',
        'a/../b',
        'a\\b',
        'a\u0000b',
        'a\nb',
        'a\u007f',
        'a\u0085',
        `${'é'.repeat(512)}x`,
      ],
      ordered: ['a', 'a b', 'a/b', 'a0', 'b', 'caf\u00e9', '\ue000', '\uffff', '\u{10000}'],
    },
    object_keys: [0, 1, 12].map((generation) => ({
      content_address: fileA.content_address,
      generation,
      object_key: objectKey(fileA.content_address as ContentAddress, generation),
    })),
    cbor: values.map((value) => ({ jcs: canonicalJson(value), cbor: toHex(encodeCbor(value)) })),
    cbor_refused: refused,
    metadata_terms: (
      [
        ['branch', 'main'],
        ['build', 42],
        ['signed', true],
        ['note', null],
      ] as const
    ).map(([key, value]) => ({ key, value: canonicalJson(value), term: metadataTerm(key, value) })),
    manifest: {
      jcs: canonicalJson(manifest),
      cbor: toHex(encodeCbor(manifest)),
      digest: `blake3:${toHex(blake3(encodeCbor(manifest)))}`,
    },
    chain: vectorsOf(chain),
    log: vectorsOf(log),
    views: foldAll(log),
  };
}

/** Byte i is i mod 251. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

const values: readonly JsonValue[] = [
  null,
  false,
  true,
  0,
  1,
  23,
  24,
  255,
  256,
  65_535,
  65_536,
  4_294_967_295,
  4_294_967_296,
  9_007_199_254_740_991,
  -1,
  -24,
  -25,
  -256,
  -257,
  -4_294_967_296,
  -4_294_967_297,
  -9_007_199_254_740_991,
  0.5,
  1.5,
  -4.1,
  2 ** -24,
  2 ** -14,
  2 ** -15,
  65_504.5,
  0.1,
  1.1,
  100_000.5,
  1e-7,
  Number.MIN_VALUE,
  (2 - 2 ** -23) * 2 ** 127,
  2 ** 53,
  1e21,
  Number.MAX_VALUE,
  '',
  'a',
  'IETF',
  '"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028',
  'ü水\u{10151}',
  'x'.repeat(23),
  'x'.repeat(24),
  [],
  [1, [2, 3], [4, [5]]],
  Array.from({ length: 25 }, (_, index) => index),
  {},
  { b: [2, 3], a: 1 },
  // Both canonical forms sort keys, each in its own way.
  { aa: 1, b: 2, '': 3 },
  { '\u{10000}': 1, '\uffff': 2 },
  { a: { '10': 1, '9': 2 }, __proto__x: null },
];

const refused: readonly { readonly cbor: string; readonly why: string }[] = [
  { cbor: '', why: 'no value' },
  { cbor: '0000', why: 'something after the value' },
  { cbor: '1800', why: 'an integer that is not in its shortest form' },
  { cbor: '1817', why: 'an integer that is not in its shortest form' },
  { cbor: '1900ff', why: 'an integer that is not in its shortest form' },
  { cbor: '1a0000ffff', why: 'an integer that is not in its shortest form' },
  { cbor: '1b00000000ffffffff', why: 'an integer that is not in its shortest form' },
  { cbor: '1b0020000000000000', why: 'an integer over 2^53-1' },
  { cbor: '3b001fffffffffffff', why: 'an integer under -(2^53-1)' },
  { cbor: '1c', why: 'a reserved length' },
  { cbor: '4161', why: 'a byte string' },
  { cbor: '7f6161ff', why: 'an indefinite length' },
  { cbor: '9f01ff', why: 'an indefinite length' },
  { cbor: 'bfff', why: 'an indefinite length' },
  { cbor: '780161', why: 'a length that is not in its shortest form' },
  { cbor: '6261', why: 'text that ends too soon' },
  { cbor: '61ff', why: 'text that is not UTF-8' },
  { cbor: '63eda080', why: 'a lone surrogate' },
  { cbor: '62c080', why: 'overlong UTF-8' },
  { cbor: '8201', why: 'an array that ends too soon' },
  { cbor: 'a2616201616102', why: 'keys out of order' },
  { cbor: 'a2626161016162', why: 'keys out of order: the shorter one comes first' },
  { cbor: 'a2616101616102', why: 'a key twice' },
  { cbor: 'a10102', why: 'a key that is no text' },
  { cbor: 'c074323032362d30332d30315431323a30303a30305a', why: 'a tag' },
  { cbor: 'f7', why: 'undefined' },
  { cbor: 'f818', why: 'a simple value other than false, true and null' },
  { cbor: 'e0', why: 'a simple value other than false, true and null' },
  { cbor: 'f90000', why: 'a float that stands for the integer 0' },
  { cbor: 'f98000', why: 'minus zero' },
  { cbor: 'f93c00', why: 'a float that stands for the integer 1' },
  { cbor: 'f97c00', why: 'infinity' },
  { cbor: 'f97e00', why: 'not a number' },
  { cbor: 'fa3f000000', why: 'a float that is not in its shortest form' },
  { cbor: 'fb3ff8000000000000', why: 'a float that is not in its shortest form' },
  { cbor: 'fb3fb99999a0000000', why: 'a float that is not in its shortest form' },
];

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

const fileA = manifestFile(id(4), 'hello.txt', 'text/plain', utf8('hello, evidence\n'), {});
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

function sealedPackage(): { readonly chain: readonly StoredEvent[]; readonly manifest: Manifest } {
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
function everyEvent(): readonly StoredEvent[] {
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

function vectorsOf(events: readonly StoredEvent[]): readonly EventVector[] {
  return events.map((event) => {
    const { sequence, created_at, event_type, subject_kind, subject_id, actor: by } = event;
    return {
      sequence,
      created_at,
      event_type,
      subject_kind,
      subject_id,
      actor: by,
      payload_jcs: canonicalJson(decodeCbor(event.payload)),
      payload: toHex(event.payload),
      payload_digest: toHex(event.payload_digest),
      link: toHex(encodeCbor([sequence, created_at, event_type, subject_kind, subject_id, by, toHex(event.payload_digest)])),
      chain_digest: toHex(event.chain_digest),
    };
  });
}

/** The rows of every view after the log, by key. */
function foldAll(events: readonly StoredEvent[]): Vectors['views'] {
  const views = new Map<ViewTable, Map<string, Record<string, JsonValue>>>();
  for (const table of Object.keys(viewKeys) as ViewTable[]) views.set(table, new Map());
  for (const event of events)
    for (const change of fold(event)) {
      const rows = views.get(change.table)!;
      const named = (change.kind === 'insert' || change.kind === 'upsert' ? change.row : change.key) as Readonly<Record<string, JsonValue>>;
      const key = viewKeys[change.table].map((column) => String(named[column])).join('\u0000');
      const there = rows.get(key);
      if (change.kind === 'insert' || (change.kind === 'upsert' && there === undefined)) rows.set(key, { ...named });
      else if (there !== undefined) {
        Object.assign(there, change.set);
        if (change.kind === 'increment')
          for (const [column, by] of Object.entries(change.by)) there[column] = Number(there[column]) + Number(by);
      }
    }
  const usage = views.get('producer_usage')!;
  for (const { producer, status, file_count, total_bytes } of views.get('artifact_packages')!.values()) {
    const sum = usage.get(String(producer)) ?? { producer: producer!, packages: 0, files: 0, bytes: 0 };
    usage.set(String(producer), sum);
    if (status !== 'created' && status !== 'finalized') continue;
    sum.packages = Number(sum.packages) + 1;
    sum.files = Number(sum.files) + Number(file_count);
    sum.bytes = Number(sum.bytes) + Number(total_bytes);
  }
  return Object.fromEntries(
    [...views].map(([table, rows]) => [table, [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row)]),
  ) as unknown as Vectors['views'];
}

function blockDigests(length: number): Vectors['block_digests'] {
  const bytes = pattern(length);
  const digests: string[] = [];
  for (let first = 0; first < length; first += 1_048_576) digests.push(toHex(blake3(bytes.subarray(first, first + 1_048_576))));
  return { length, block_bytes: 1_048_576, digests: digests.join('') };
}

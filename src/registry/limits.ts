import type { Bounds } from '../kernel/bound.ts';
import { maximumPathBytes } from '../kernel/content/path.ts';
import { maximumJsonDepth } from '../kernel/format/json.ts';
import { maximumFiles } from '../kernel/manifest.ts';
import { maximumCode, maximumMetadataLength, maximumSchemaLength, schemaBounds } from './metadata/schema-bounds.ts';

/** What the registry takes and answers at most, whichever door it is asked through. */
export const limits = {
  textLength: 256,
  reasonLength: 1_024,
  slugLength: 128,
  mediaTypeLength: 255,
  annotations: 64,
  annotationKeyLength: 128,
  annotationLength: 1_024,
  /** Each is a row of the index that packages are found by, written while others wait. */
  metadataMembers: 1_000,
  /** Each is copied, written and shown many times, in one go each time. */
  metadataValues: 20_000,
  /** Each is a look-up of its own, and one part of the query. */
  metadataFilters: 32,
  attachments: 1_000,
  /** Files that are looked for by their paths at once: one statement has all of them. */
  namedFiles: 500,
  pageItems: 1_000,
  eventPageItems: 500,
  eventWaitSeconds: 60,
  eventStretch: 1_000,
  eventsLookedAt: 10_000,
  /** A page of a list stops before its records grow beyond this many bytes, and holds at least one. */
  pageBytes: 2_097_152,
  /** Of a manifest: it is one event, held in memory by whoever seals or reads it. */
  manifestBytes: 134_217_728,
  /** Of files that a request names again: as much text as a request that added all of them could have had. */
  repeatedBytes: 16_777_216,
  /** Of holds and of events in a retention record. */
  retentionEntries: 500,
  usageProducers: 1_000,
  /** Pieces of one principal that wait for the database. */
  waitingOfOne: 5_000,
  waitMilliseconds: 30_000,
  /** Of one actor. */
  openUploads: 1_000,
  openUploadBytes: 5_497_558_138_880,
  /** Of one upload: its row has all of them. */
  uploadSegments: 10_000,
  /** Of one write session. */
  sessionObjects: 10_000,
  sessionBytes: 1_099_511_627_776,
  sessionLeastSeconds: 60,
  sessionMostSeconds: 604_800,
  /** Of one actor. */
  openWriteSessions: 100,
} as const;

export type RegistryBound =
  | 'text_characters'
  | 'slug_characters'
  | 'reason_characters'
  | 'media_type_characters'
  | 'path_bytes'
  | 'annotations'
  | 'annotation_key_characters'
  | 'annotation_characters'
  | 'metadata_members'
  | 'metadata_values'
  | 'json_depth'
  | 'files_of_package'
  | 'sealed_manifest_bytes'
  | 'attachments'
  | 'named_files'
  | 'metadata_filters'
  | 'page_items'
  | 'event_page_items'
  | 'event_wait'
  | 'events_looked_at'
  | 'page_bytes'
  | 'repeated_bytes'
  | 'retention_entries'
  | 'usage_producers'
  | 'waiting_of_one'
  | 'open_uploads'
  | 'open_upload_bytes'
  | 'upload_segments'
  | 'write_session_objects'
  | 'write_session_bytes'
  | 'write_session_time'
  | 'open_write_sessions'
  | 'schema_characters'
  | 'metadata_characters'
  | 'schema_time'
  | 'schema_memory'
  | 'schema_code'
  | 'schema_waiting';

/** By name, for docs/limits.md, the metrics and the log. */
export const registryBounds: Bounds<RegistryBound> = {
  text_characters: {
    value: limits.textLength,
    unit: 'characters',
    answer: 'invalid_value',
    what: 'a name, producer, subject or retention class',
  },
  slug_characters: { value: limits.slugLength, unit: 'characters', answer: 'invalid_value', what: 'the slug of a metadata schema' },
  reason_characters: {
    value: limits.reasonLength,
    unit: 'characters',
    answer: 'invalid_value',
    what: 'the reason of a hold, release or extension',
  },
  media_type_characters: { value: limits.mediaTypeLength, unit: 'characters', answer: 'invalid_value', what: 'the media type of a file' },
  path_bytes: { value: maximumPathBytes, unit: 'bytes', answer: 'invalid_path', what: 'the relative path of a file, as UTF-8' },
  annotations: { value: limits.annotations, unit: '', answer: 'invalid_value', what: 'annotations of a file' },
  annotation_key_characters: {
    value: limits.annotationKeyLength,
    unit: 'characters',
    answer: 'invalid_value',
    what: 'the key of an annotation',
  },
  annotation_characters: { value: limits.annotationLength, unit: 'characters', answer: 'invalid_value', what: 'the text of an annotation' },
  metadata_members: { value: limits.metadataMembers, unit: '', answer: 'invalid_value', what: 'members of the metadata of a package' },
  metadata_values: {
    value: limits.metadataValues,
    unit: '',
    answer: 'invalid_value',
    what: 'values in the metadata of a package, also those in others',
  },
  json_depth: { value: maximumJsonDepth, unit: '', answer: 'malformed_json', what: 'objects and arrays within each other' },
  files_of_package: { value: maximumFiles, unit: '', answer: 'too_many_files', what: 'files of a package' },
  sealed_manifest_bytes: {
    value: limits.manifestBytes,
    unit: 'bytes',
    answer: 'too_many_files',
    what: 'the manifest of a package: paths and annotations of its files, and 720 bytes for each',
  },
  attachments: { value: limits.attachments, unit: '', answer: 'invalid_value', what: 'files that are attached by address at once' },
  named_files: {
    value: limits.namedFiles,
    unit: '',
    answer: 'invalid_value',
    what: 'files of an archive that are asked for by their paths',
  },
  metadata_filters: {
    value: limits.metadataFilters,
    unit: '',
    answer: 'malformed_request',
    what: 'metadata keys that a list is asked for by',
  },
  page_items: { value: limits.pageItems, unit: '', answer: 'malformed_request', what: 'the limit of a page of a list' },
  event_page_items: { value: limits.eventPageItems, unit: '', answer: 'malformed_request', what: 'the limit of a page of events' },
  event_wait: { value: limits.eventWaitSeconds, unit: 'seconds', answer: 'malformed_request', what: 'the wait for a page of events' },
  events_looked_at: {
    value: limits.eventsLookedAt,
    unit: '',
    answer: 'less',
    what: 'events that are looked at for one page of those that its reader may see; it says where the next begins',
  },
  page_bytes: { value: limits.pageBytes, unit: 'bytes', answer: 'less', what: 'a page of a list or of events; it has at least one item' },
  repeated_bytes: {
    value: limits.repeatedBytes,
    unit: 'bytes',
    answer: 'too_many_files',
    what: 'paths and annotations of files that are added again, which the answer shows',
  },
  retention_entries: {
    value: limits.retentionEntries,
    unit: '',
    answer: 'less',
    what: 'holds, and events, of a retention record; it counts what it leaves out',
  },
  usage_producers: {
    value: limits.usageProducers,
    unit: '',
    answer: 'less',
    what: 'producers in the answer of /usage; it counts what it leaves out',
  },
  waiting_of_one: {
    value: limits.waitingOfOne,
    unit: '',
    answer: 'too_busy',
    what: 'reads or writes of one caller that wait for the database, each for up to 30 seconds',
  },
  open_uploads: { value: limits.openUploads, unit: '', answer: 'too_many_uploads', what: 'resumable uploads that one actor has open' },
  open_upload_bytes: {
    value: limits.openUploadBytes,
    unit: 'bytes',
    answer: 'too_many_uploads',
    what: 'what these have, or were declared with where they were, and so one alone at most',
  },
  upload_segments: {
    value: limits.uploadSegments,
    unit: '',
    answer: 'too_many_uploads',
    what: 'pieces of a resumable upload: one a killed writer, a stretch to a bucket, or an upload that it is made of',
  },
  write_session_objects: {
    value: limits.sessionObjects,
    unit: '',
    variable: 'ARTIFACTSTORE_WRITE_SESSION_OBJECTS',
    answer: 'too_many_files',
    what: 'objects of a write session',
  },
  write_session_bytes: {
    value: limits.sessionBytes,
    unit: 'bytes',
    variable: 'ARTIFACTSTORE_WRITE_SESSION_BYTES',
    answer: 'write_session_too_large',
    what: 'the objects of a write session together',
  },
  write_session_time: {
    value: limits.sessionMostSeconds,
    unit: 'seconds',
    variable: 'ARTIFACTSTORE_WRITE_SESSION_TTL_SECONDS',
    answer: 'invalid_ttl',
    what: 'from the opening of a write session to its commit; 60 at least',
  },
  open_write_sessions: {
    value: limits.openWriteSessions,
    unit: '',
    variable: 'ARTIFACTSTORE_WRITE_SESSIONS_OPEN',
    answer: 'too_many_write_sessions',
    what: 'write sessions that one actor has open',
  },
  schema_characters: {
    value: maximumSchemaLength,
    unit: 'characters',
    answer: 'invalid_metadata_schema',
    what: 'a metadata schema, in its RFC 8785 form',
  },
  metadata_characters: {
    value: maximumMetadataLength,
    unit: 'characters',
    answer: 'body_too_large',
    what: 'metadata that is held to a schema',
  },
  schema_time: {
    value: schemaBounds.milliseconds / 1000,
    unit: 'seconds',
    answer: 'metadata_schema_too_costly',
    what: 'processor time of one registration or use of a schema; 8 seconds by the clock',
  },
  schema_memory: {
    value: schemaBounds.heapMebibytes * 1_048_576,
    unit: 'bytes',
    answer: 'metadata_schema_too_costly',
    what: 'memory of the thread that uses schemas',
  },
  schema_code: { value: maximumCode, unit: 'characters', answer: 'metadata_schema_too_costly', what: 'the compiled form of a schema' },
  schema_waiting: {
    value: schemaBounds.slow,
    unit: '',
    answer: 'too_busy',
    what: 'slow uses of schemas at a time, those over a quarter of a second; 4 of each actor',
  },
};

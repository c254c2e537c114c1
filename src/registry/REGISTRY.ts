import type { EncodedPage } from '../kernel/format/encoded-page.ts';
import type { JsonObject } from '../kernel/format/json.ts';
import type { Health } from './health-records.ts';
import type {
  Attached,
  Attachment,
  AttachOptions,
  Created,
  EncodedEventPage,
  EventPage,
  EventQuery,
  File,
  FileTarget,
  Finalized,
  FinalizeExpectation,
  FindManyOptions,
  FoundFile,
  FoundToOpen,
  MetadataSchema,
  NewFile,
  NewPackage,
  OpenFile,
  OpenOptions,
  Package,
  PackageQuery,
  Page,
  PageQuery,
  SealedManifest,
} from './records.ts';
import type { ExpiringQuery, Hold, NewExtension, RetentionClassRecord, RetentionRecord } from './retention-records.ts';
import type { AppendOptions, FinishUpload, NewUpload, StatusOptions, Upload, UploadQuery } from './upload-records.ts';
import type { ProducerRecord, Usage } from './usage-records.ts';
import type {
  CommittedSession,
  ListedWriteSession,
  NewWriteSession,
  PutOptions,
  SessionObject,
  WriteSession,
} from './write-session-records.ts';

export type * from './health-records.ts';
export type * from './records.ts';
export type * from './retention-records.ts';
export type * from './upload-records.ts';
export type { BackendUsage, ProducerRecord, ProducerUsage, Run, Usage, UsageCounts } from './usage-records.ts';
export type * from './write-session-records.ts';

/**
 * The registry's door: what a producer or a reader of artifacts can do. It has two implementations, in process
 * (`registry/`) and over HTTP (`client/`), and one suite runs on both. Records are the wire's records: snake_case,
 * times in RFC 3339 UTC. A caller's name is not a parameter: a Registry is made for one actor.
 *
 * Everywhere: a record that is not there is `undefined` from a look-up and `…_not_found` from a change. Inputs are
 * checked at the door (`malformed_…`, `invalid_…`) before anything is done, and a refused call changes nothing.
 */
export interface Registry {
  readonly packages: Packages;
  readonly files: Files;
  readonly events: Events;
  readonly metadataSchemas: MetadataSchemas;
  readonly retention: Retention;
  readonly producers: Producers;
  /** Present in process; over HTTP the wires of resumable uploads are spoken as they are. */
  readonly uploads?: Uploads;
  readonly writeSessions: WriteSessions;
  health(): Promise<Health>;
  /** How full it is, by status, producer, class and backend, and when its last runs of upkeep were. */
  usage(): Promise<Usage>;
}

export interface Packages {
  /**
   * Opens a package. With an idempotency key, which is the producer's own, the same input gives the same package again
   * and another input is `idempotency_conflict`. Errors: `unknown_retention_class`, `unknown_metadata_schema`,
   * `metadata_mismatch`, `quota_exceeded`.
   */
  create(input: NewPackage, options?: { readonly idempotencyKey?: string }): Promise<Created<Package>>;
  get(id: string): Promise<Package | undefined>;
  /** Newest first. */
  list(query?: PackageQuery): Promise<Page<Package>>;
  /** The same page as JSON, its metadata never decoded. */
  encodedList(query?: PackageQuery): Promise<EncodedPage>;
  /**
   * Abandons a package that is not sealed; its bytes are released by the next collection. Twice is once.
   * `package_not_open`, `package_held`.
   */
  abandon(id: string): Promise<Package>;
  /**
   * Seals the package; twice gives the same answer. `package_empty`, `package_not_open` (abandoned),
   * `package_collected`. With a `files_digest` (see `kernel/content/files-digest.ts`) only when the package holds
   * exactly those files, and `precondition_failed` when it holds others, now or since it was sealed: whoever else adds
   * files at the same moment, what is sealed is what was meant.
   */
  finalize(id: string, expected?: FinalizeExpectation): Promise<Finalized>;
  /** The sealed manifest's canonical CBOR. `package_not_found`, `package_not_finalized`. */
  manifest(id: string): Promise<SealedManifest>;
}

export interface Files {
  /**
   * Streams one file in. The same path with the same bytes is the same file (`created` false); with other bytes it is
   * `path_conflict`. A sealed package takes just what it holds, which changes nothing. Acknowledged means durable.
   * `package_not_open`, `length_mismatch`, `digest_mismatch`, `storage_full`, `too_many_files`, `quota_exceeded`.
   */
  add(packageId: string, file: NewFile): Promise<Created<File>>;
  /** Many small files in one step, all or nothing; results in the order of the input. */
  addMany(packageId: string, files: AsyncIterable<NewFile>): Promise<readonly Created<File>[]>;
  /**
   * Adds files whose bytes the registry already has; where they are only in another backend than the package's, they
   * are copied. At most 1,000; each answer is its own: a missing one, whose bytes have to be sent, hurts no other.
   * `quota_exceeded` when not all of the others fit.
   */
  attach(packageId: string, items: readonly Attachment[], options?: AttachOptions): Promise<readonly Attached[]>;
  /** By relative path, bytewise. */
  list(packageId: string, query?: PageQuery): Promise<Page<File>>;
  /** The same page as JSON, which costs the caller's thread less. */
  encodedList(packageId: string, query?: PageQuery): Promise<EncodedPage>;
  get(id: string): Promise<File | undefined>;
  find(packageId: string, relativePath: string): Promise<File | undefined>;
  /**
   * Finds files of one package by their paths, at most 500, each once: in that order, to be opened. Errors:
   * `package_not_found`; `file_not_found` and `package_collected`, for the first that is not there.
   */
  findMany(packageId: string, relativePaths: readonly string[], options?: FindManyOptions): Promise<readonly FoundToOpen[]>;
  /** Files with these bytes, by either digest, oldest first, each with what its package is. */
  withDigest(contentAddress: string, query?: PageQuery): Promise<Page<FoundFile>>;
  /** The same page as JSON. */
  encodedWithDigest(contentAddress: string, query?: PageQuery): Promise<EncodedPage>;
  /** The file that `open` would open, without opening it. Undefined when there is no such file. `package_collected`. */
  stat(target: FileTarget): Promise<File | undefined>;
  /**
   * Opens a file's bytes, or the inclusive range of them, verified as they are read (see the data plane's door).
   * Undefined when there is no such file. `package_collected`, `integrity_failure`, `range_not_satisfiable`,
   * `storage_unavailable`.
   */
  open(target: FileTarget, options?: OpenOptions): Promise<OpenFile | undefined>;
}

export interface Events {
  /**
   * Events after `since`, in order, as far as the caller may see them: those about packages that it may read, their
   * files, locations and holds; those about metadata schemas; with the right `observe` the registry's own. With
   * `wait_seconds`, a page that is empty at the end of the log waits that long for one to appear.
   */
  page(query?: EventQuery, signal?: AbortSignal): Promise<EventPage>;
  /**
   * The same page as one canonical CBOR item, its payloads never decoded: `{items, next_since, last_sequence}`. A
   * payload that is longer than a page is read by its receiver.
   */
  encodedPage(query?: EventQuery, signal?: AbortSignal): Promise<EncodedEventPage>;
}

export interface MetadataSchemas {
  /** The same slug with the same schema is the same (`created` false); with another, `metadata_schema_conflict`. */
  register(input: { readonly slug: string; readonly json_schema: JsonObject }): Promise<Created<MetadataSchema>>;
  get(slug: string): Promise<MetadataSchema | undefined>;
  list(query?: PageQuery): Promise<Page<MetadataSchema>>;
}

export interface Retention {
  classes(): Promise<readonly RetentionClassRecord[]>;
  /** Why a package is kept or will go, and when. `package_not_found`. */
  show(packageId: string): Promise<RetentionRecord>;
  /**
   * Sealed packages that nobody holds and that will go, those that expire first being the first. Without those that a
   * sweep has marked: the next collection takes them. Errors: `malformed_request`, `invalid_cursor`.
   */
  expiring(query?: ExpiringQuery): Promise<Page<Package>>;
  /**
   * Later than now and than the current expiry (`invalid_value`); null for never. `package_not_open` (abandoned),
   * `package_collected`.
   */
  extend(packageId: string, input: NewExtension): Promise<RetentionRecord>;
  /** Keeps a package from being collected until the hold is released; holds add up. Errors as for `extend`. */
  hold(packageId: string, input: { readonly reason: string }): Promise<Hold>;
  /** `hold_not_found` when there is none, or it was released before. */
  release(packageId: string, holdId: string, input?: { readonly reason?: string }): Promise<Hold>;
}

export interface Producers {
  /** Those whose packages may be read, by name, bytewise; with a quota where they have one. */
  list(query?: PageQuery): Promise<Page<ProducerRecord>>;
}

/**
 * Files whose bytes come in several calls, from one process or another, with breaks between them. What `append`
 * acknowledged is durable, whoever is killed. An upload is seen and continued by the actor that began it, or by who may
 * `administer`; for others it does not exist. `upload_not_found` for one that is not there: where it was the caller's
 * own, `info.state` says whether it `expired` or was `abandoned`.
 */
export interface Uploads {
  /**
   * Opens an upload. The right to write to the package, or without one to any producer, is asked for; where there is a
   * package and a length, the quota too. Errors: those of `Files.add` before its first byte; `too_many_uploads`; for
   * one that is made of others, `upload_incomplete` and `upload_finished`.
   */
  begin(input: NewUpload): Promise<Upload>;
  /**
   * `begin` and `append` in one step, for a short body that has all bytes of a file that is named: refused or broken
   * off, there was no upload. It answers the finished one. Undefined where the body is of another kind, or
   * is not to be read into memory now: nothing was read of it, and nothing was begun.
   */
  beginWhole(input: NewUpload, body: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<Upload | undefined>;
  /**
   * Adds the body at `offset`, which must be where the upload is (`upload_offset_mismatch`; `info.offset_bytes` says
   * where that is). While a long body arrives, what came is made durable and counts every 64 MiB or 10 seconds, and
   * also when the body breaks off: the append then throws what the body threw, and `status` shows what came. One writer
   * at a time, see `WriterPolicy`; the one that loses ends with `upload_superseded` or `upload_locked`, and one whose
   * upload is abandoned meanwhile with `upload_not_found`, or what its write session ended with. With the last byte of
   * an upload that has a package and a path, the file is made, with the errors of `finish`; its bytes are kept then,
   * and `finish` may be tried again. Errors: `upload_finished`; `upload_length_mismatch`, for a body that leads beyond
   * the length, of which nothing more counts; `storage_full`, after which the upload can be continued;
   * `quota_exceeded`, `too_many_uploads`; `forbidden`, where the right that `begin` asked for is gone.
   */
  append(id: string, offset: number, body: AsyncIterable<Uint8Array>, options?: AppendOptions): Promise<Upload>;
  /** Where the upload is. Undefined where there is none, or it has expired or was abandoned. */
  status(id: string, options?: StatusOptions): Promise<Upload | undefined>;
  /**
   * Those that the caller sees and that are open, in the order in which they were begun. No append ends by it: of one
   * that is under way it shows what was durable when that was last written down.
   */
  list(query?: UploadQuery): Promise<Page<Upload>>;
  /**
   * Makes the file, by the same commit as any other: all that `Files.add` refuses is refused here. Its length and every
   * digest that was declared must hold: `upload_incomplete` before the last byte, `upload_length_mismatch`,
   * `digest_mismatch`. A length that nobody declared is what has come. Refused before its bytes are published, the
   * upload stays as it is; later, its length stays what has come. Twice gives the same answer, until it expires;
   * `upload_finished` where another package or path is named.
   */
  finish(id: string, input?: FinishUpload): Promise<Created<File>>;
  /** Ends it; its bytes go. Twice is once. A finished one stays what it is: `upload_finished`. */
  abandon(id: string): Promise<void>;
}

/**
 * Sets of files that are announced with length and SHA-256, handed over one by one, and become one sealed package or
 * nothing. Nobody reads a byte of them before the commit. A session is its producer's: whoever may write to that
 * producer continues it, and for who may not read it there is none (`write_session_not_found`). What ended says so by
 * its own code: `write_session_expired`, `write_session_aborted`, `write_session_closed` (committed, or being so).
 */
export interface WriteSessions {
  /**
   * Opens a session, under a key that is the producer's and the scope's. The same request under the same key gives the
   * same session again, also when it is committed; another one is `idempotency_conflict`. Of a session that expired or
   * was aborted the key is free again. Errors: `invalid_path`, `invalid_value`, `invalid_digest`, `invalid_size`,
   * `invalid_ttl`, `write_session_empty`, `duplicate_name`, `too_many_files`,
   * `write_session_too_large`, `too_many_write_sessions`, `unknown_retention_class`, `forbidden`, `quota_exceeded`.
   */
  open(input: NewWriteSession, options: { readonly idempotencyKey: string }): Promise<Created<WriteSession>>;
  /** Undefined where there is none, or none any more. */
  status(id: string): Promise<WriteSession | undefined>;
  /**
   * Those that are open or being committed, of producers that the caller may write to, in the order in which they were
   * opened.
   */
  list(query?: PageQuery): Promise<Page<ListedWriteSession>>;
  /**
   * Takes the bytes of one object, and keeps them aside until the commit. They are durable when it resolves. Bytes that
   * are there already may be sent again, and change nothing. Errors: `write_session_object_not_found`;
   * `length_mismatch`, `object_too_long`, `digest_mismatch`, which leave nothing; `storage_full`.
   */
  put(id: string, name: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<SessionObject>;
  /**
   * An upload for the bytes of one object, which come in pieces by `Uploads`: a new one, or the one that the caller has
   * begun, where it is by now. With its last byte the object is received; no file is made of it. Bytes that are not
   * what was announced are `digest_mismatch` then, and the upload is gone. It ends with the session. Errors:
   * `write_session_object_not_found`; `write_session_object_received`, where nothing is to be sent; `too_many_uploads`.
   */
  beginUpload(id: string, name: string): Promise<Created<Upload>>;
  /**
   * Makes the package, sealed, of all objects: each time the same one, whoever is killed between two steps. Errors:
   * `write_session_incomplete`, which names every object that is missing or wrong (`info.objects`, as `ObjectProblem`),
   * and after which the session is open for these; `quota_exceeded`.
   */
  commit(id: string): Promise<CommittedSession>;
  /** Ends it; what came goes. Twice is once. A committed one stays: `write_session_closed`. */
  abort(id: string): Promise<void>;
}

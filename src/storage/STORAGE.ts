/**
 * The storage door: bytes by object key, and nothing else. A backend knows no packages, computes no digests and takes
 * no decisions; verifying, retrying and logging are done once, above it. `conformance.ts` is the suite that every
 * backend passes, `kind.ts` what configures and opens one, and `kinds.ts` the list of them.
 */
export interface Storage {
  /** The name by which locations refer to this backend, for as long as they live. */
  readonly id: string;

  /**
   * Makes an object of the whole source. Resolves only when the bytes are durable and visible at `key`; until then, and
   * after any failure, a reader sees what was there before: all or nothing. An object that exists is replaced in one
   * step. Errors: `storage_full`, `storage_unavailable`, `cancelled`, and whatever the source throws.
   */
  put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<void>;

  /**
   * The object's bytes, or the inclusive range of them; undefined when there is no object at `key`. The object stays
   * readable to the end even when it is replaced or deleted meanwhile, or the iteration throws; it never ends early as
   * if it were whole.
   */
  get(key: string, options?: GetOptions): Promise<ObjectReader | undefined>;

  /** What is at `key`, or undefined when there is nothing. */
  head(key: string, options?: Stoppable): Promise<ObjectHead | undefined>;

  /** Removes the object; a key that holds none is not an error. */
  delete(key: string, options?: Stoppable): Promise<void>;

  /**
   * Every object whose key starts with `prefix`, in no promised order. Drafts and other unpublished bytes never show.
   */
  list(prefix: string, options?: Stoppable): AsyncIterable<ListedObject>;

  /**
   * Makes an object of a few bytes where there is none at `key`, durably; false where there is one, which stays as it
   * is. In one step, where the backend has one for it. Makes the place itself too, a directory that is not there:
   * nothing else does.
   */
  create(key: string, bytes: Uint8Array, options?: Stoppable): Promise<boolean>;

  /** Whether the backend can serve now, and its room where it knows. Never throws. */
  health(): Promise<StorageHealth>;

  /**
   * Present when the backend is a place on this machine, which may be missing, or be another one, from one moment to
   * the next.
   */
  readonly place?: Place;

  /** Present when it is watched whose store this is (`guarded.ts`). */
  readonly ownership?: Ownership;

  /** Present when an object can be made, without copying, from a finished file that lies in `drafts.directory`. */
  readonly drafts?: DraftDirectory;

  /**
   * Present when `put` leaves parts behind in the store where its process is stopped: drops those of puts that began,
   * and got their last part, more than `ageSeconds` ago, and answers how many. A dry run only counts.
   */
  reclaim?(ageSeconds: number, options?: ReclaimOptions): Promise<number>;

  /**
   * Present when somebody else may write an object here who holds no key of the store: an address that takes exactly
   * these bytes at `key`, once, for a while. Undefined where it can't be had for so many bytes, or not for long enough.
   * Nothing was written yet, and nobody can tell when it will be.
   */
  presign?(key: string, write: PresignedWrite): Promise<UploadAddress | undefined>;

  /**
   * Present when an object can be made of another without its bytes coming by: `to` then holds what `from` held as
   * `version`, as `get` gave it. False where that can't be said for certain, and nothing that lies at `to` is to be
   * believed. Errors: `storage_unavailable`, `cancelled`.
   */
  copy?(from: string, to: string, source: CopySource): Promise<boolean>;

  /** Present when there are connections to close. Whoever opened the backend calls it, last. */
  close?(): void;
}

export interface ReclaimOptions extends Stoppable {
  readonly dryRun?: boolean;
}

export interface CopySource extends Stoppable {
  readonly version: string;
  readonly sizeBytes: number;
}

export interface PresignedWrite {
  readonly sizeBytes: number;
  /** Lowercase hex. */
  readonly digestSha256: string;
  /** The latest end, in milliseconds since the epoch. */
  readonly untilMilliseconds: number;
}

/** A secret until it ends: whoever has it can write these bytes. */
export interface UploadAddress {
  readonly url: string;
  /** What has to be sent with the bytes, by lower-case name: all of it is signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** When the store stops taking it, in milliseconds since the epoch. */
  readonly expiresAtMilliseconds: number;
}

export interface Place {
  /** Whether there is anything at all. */
  there(): Promise<boolean>;
  /**
   * What tells the object at `key` from any other that could be in its place, as on another disk; undefined when there
   * is none. Costs next to nothing.
   */
  identify(key: string): Promise<string | undefined>;
}

/**
 * Whose store it is. Every other member of a watched backend asks for itself, and throws `storage_unavailable` unless
 * it is the registry's.
 */
export interface Ownership {
  /** The key of the marker that says whose it is. */
  readonly markerKey: string;
  /**
   * Throws `storage_unavailable` unless the store was the registry's, or a new and empty one, at a moment after the
   * call.
   */
  confirm(): Promise<void>;
  /** The same, and makes a store that is new and empty the registry's. */
  claim(): Promise<void>;
  /** Everything that lies there, whosesoever it is. */
  list(options?: Stoppable): AsyncIterable<ListedObject>;
  /** Makes a store without a marker the registry's, whatever lies there; refused where there is a marker of another. */
  adopt(): Promise<void>;
}

export interface DraftDirectory {
  /**
   * Where drafts for this backend are written; it exists once `prepare` has resolved. One file a draft, named by its
   * id.
   */
  readonly directory: string;
  /** To be called before a draft is written: makes the directory where the place is there and the directory is not. */
  prepare(): Promise<void>;
  /**
   * Makes the object at `key` from a draft whose bytes are already fsynced; resolves when the name is durable too. The
   * draft stays until `discard`. An object that exists is replaced in one step.
   */
  publish(draftPath: string, key: string): Promise<void>;
}

export interface Stoppable {
  readonly signal?: AbortSignal;
}

export interface PutOptions extends Stoppable {
  /** The length in bytes where the caller knows it. A source of another length is refused with `length_mismatch`. */
  readonly sizeBytes?: number;
  /** Of the whole, in lowercase hex, where the caller knows it: lets a store check what arrives. */
  readonly digestSha256?: string;
  /** Whether the source gives the same bytes each time it is iterated: a broken attempt can then be made again. */
  readonly repeatable?: boolean;
}

export interface GetOptions extends Stoppable {
  readonly range?: ByteRange;
}

/** Inclusive, as in RFC 9110 section 14.1.2, and inside the object: the caller knows the size. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface ObjectReader {
  /** The size of the whole object, whatever the range. */
  readonly sizeBytes: number;
  /** Tells these bytes from any other at the same key, where the backend can copy them (`copy`). */
  readonly version?: string;
  /** Chunks are valid until the next one is asked for. Iterate once; ending early releases the resources. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What `body` gives, where it is in memory as a whole: the caller's to keep, and `body` need not be iterated. */
  readonly bytes?: Uint8Array;
}

export interface ObjectHead {
  readonly sizeBytes: number;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** When the bytes were last written, in milliseconds since the epoch, by the backend's clock. */
  readonly modifiedMilliseconds: number;
}

export interface StorageHealth {
  readonly healthy: boolean;
  /** There is no room to write, and nothing else is wrong: reads continue. */
  readonly full?: true;
  readonly detail: string;
  /** Its keys cannot be read from where they are kept, for so long; those that were read work. */
  readonly keysUnreadSeconds?: number;
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
}

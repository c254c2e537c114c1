import type { ContentAddress } from '../kernel/content/address.ts';
import type { Algorithm } from '../kernel/content/digest.ts';
import type { ByteRange, ListedObject, Ownership, StorageHealth, UploadAddress } from '../storage/STORAGE.ts';

export type { ByteRange, ListedObject, Ownership, StorageHealth, UploadAddress } from '../storage/STORAGE.ts';

/**
 * The data plane's door: the only part that touches bytes and calls a backend. Registry transactions sit between its
 * steps: `stage` -> (decide) -> `publish` -> (commit) -> `discard`. One pass over the bytes, both digests, memory
 * bounded by the number of streams and never by their length.
 */
export interface DataPlane {
  /** The primary digest of what is staged. */
  readonly digestAlgorithm: Algorithm;

  /**
   * Writes the source to a draft and hashes it on the way. Resolves when the draft is durable. A source that does not
   * match what was declared (`length_mismatch`, `digest_mismatch`), that fails or is stopped leaves nothing behind.
   * `storage_full` when out of room. With `key`, the bytes may go straight to that key while they are hashed, with no
   * copy on this machine: the object appears when they are known to be what was declared, or never. The draft then says
   * so by `publishedAt`.
   */
  stage(backendId: string, source: AsyncIterable<Uint8Array>, expected?: Expected, signal?: AbortSignal, key?: string): Promise<Draft>;

  /**
   * What `stage` says of bytes that are in memory. They are durable only when somebody has made them so, and can be
   * published like others.
   */
  hold(backendId: string, bytes: Uint8Array<ArrayBuffer>, expected?: Expected): Draft;

  /**
   * Makes an object at `key`, durably, of bytes that were held. `integrity_failure` when they are not what the key
   * says.
   */
  settle(backendId: string, key: string, bytes: Uint8Array): Promise<void>;

  /** Whether `stage` can go straight to a key in this backend: worth asking the log for one. */
  stagesStraight(backendId: string): boolean;

  /**
   * Makes the draft's bytes an object at `key`, durably. The draft stays, to be published again elsewhere. Of a draft
   * that went straight to a key the bytes are read there: `storage_unavailable` when they are gone.
   */
  publish(draft: Draft, key: string, signal?: AbortSignal): Promise<void>;

  /** Forgets the draft. Never throws; a draft that cannot be removed now is reclaimed by a sweep. */
  discard(draft: Draft): Promise<void>;

  /**
   * Opens an object for reading, verified as it is read: bytes that do not match are never delivered as good. An object
   * of up to `wholeBytes` is checked before this resolves. A longer one is checked as it streams, its last block
   * withheld until the digest is known; a range of it is checked against block digests. Throws `integrity_failure`
   * (here or from the iteration), `object_not_found` when the bytes are not in the store, `storage_unavailable`.
   */
  open(object: StoredObject, range?: ByteRange, signal?: AbortSignal): Promise<VerifiedBody>;

  /** Reads the object from end to end, both digests. */
  check(object: StoredObject, signal?: AbortSignal): Promise<Verdict>;

  /** Deletes the bytes at a dead key. Idempotent. */
  remove(backendId: string, key: string): Promise<void>;

  /** Every object of a backend, with whatever else lies there under a key, except the bytes of uploads. */
  list(backendId: string, signal?: AbortSignal): AsyncIterable<ListedObject>;

  /**
   * Removes drafts, here and in the backend, that nobody has written to for `ageSeconds`: left by processes that were
   * stopped. How many there were. A dry run only counts.
   */
  reclaimDrafts(backendId: string, ageSeconds: number, options?: { readonly dryRun?: boolean }): Promise<number>;

  /**
   * Makes what drafts need on this machine, the backends aside. Errors: `invalid_configuration`, which names the
   * setting.
   */
  prepare(): Promise<void>;

  /** Whose store a backend is; undefined for one that nobody watches. */
  ownership(backendId: string): Ownership | undefined;

  /** Bytes of one file that come in several calls. */
  readonly segments: Segments;

  /** The state of every backend, by id. */
  health(): Promise<ReadonlyMap<string, StorageHealth>>;

  close(): Promise<void>;
}

/** Bytes that are verified as they are read. Chunks are valid until the next one is asked for. */
export interface VerifiedBody extends AsyncIterable<Uint8Array> {
  /** All of them, where they are in memory and verified already: the reader's to keep. */
  readonly bytes?: Uint8Array;
}

/** What the producer said of the bytes before sending them. */
export interface Expected {
  readonly sizeBytes?: number;
  /**
   * Digests to check by algorithm, as raw bytes; `blake3`, `sha256`, and others that a header may name (`sha512`,
   * `sha1`, `md5`).
   */
  readonly digests?: ReadonlyMap<string, Uint8Array>;
  /** The largest body taken; a longer one is refused with `body_too_large`. */
  readonly maximumBytes?: number;
}

/** Digests that can be checked, and their length in bytes. */
export const checkedDigests: Readonly<Record<string, number>> = { blake3: 32, sha256: 32, sha512: 64, sha1: 20, md5: 16 };

export interface Digests {
  readonly digestAlgorithm: Algorithm;
  /** Lowercase hex, as `digestSha256`. */
  readonly digestPrimary: string;
  readonly digestSha256: string;
  readonly contentAddress: ContentAddress;
}

export interface Draft extends Digests {
  readonly id: string;
  readonly backendId: string;
  readonly sizeBytes: number;
  /**
   * BLAKE3 of each block of `blockBytes`, 32 bytes each, one after the other; undefined for objects of one block or
   * less.
   */
  readonly blockDigests: Uint8Array | undefined;
  /** The key at which the bytes lie already, where there is no copy on this machine. */
  readonly publishedAt?: string;
  /** Which bytes at that key they are, where the backend copies them. */
  readonly version?: string;
  /** The bytes themselves, where there is no copy but in memory. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** The bytes, checked as they are read, where they lie in segments of the backend and nowhere else. */
  readonly source?: AsyncIterable<Uint8Array>;
}

/**
 * A piece of an upload, from one writer: its name in the backend, and how many of its bytes are durable. Beyond them it
 * may have others, of a writer that was stopped.
 */
export interface Segment {
  readonly name: string;
  readonly bytes: number;
}

/** Which upload, and where it is. */
export interface UploadPlace {
  readonly uploadId: string;
  readonly backendId: string;
}

/** Bytes that somebody is invited to write. */
export interface InvitedBytes {
  /** Of the invitation: other bytes than came by an earlier one have another key. */
  readonly round: number;
  /** Tells them from others of the same place and content. */
  readonly index: number;
  readonly sizeBytes: number;
  /** Lowercase hex. */
  readonly digestSha256: string;
}

export interface SegmentWrite extends UploadPlace {
  /** Of all writers of this upload only this one has it: names of segments are made with it. */
  readonly epoch: number;
  /** What is acknowledged. */
  readonly segments: readonly Segment[];
  /**
   * Whether the last segment may be written to: nobody else does, and it has no bytes beyond those. Otherwise a new one
   * is begun.
   */
  readonly grows: boolean;
  /** How many bytes are taken; a longer source is `upload_length_mismatch`. */
  readonly maximumBytes: number;
  /** How many the source is announced to have; absent where that is not known. */
  readonly sourceBytes?: number;
  /** Algorithms of digests that were declared of the whole, so that they are made while it comes. */
  readonly declared?: readonly string[];
  /** Of this source: with them nothing is told before its end, and a source that fails leaves nothing. */
  readonly digests?: ReadonlyMap<string, Uint8Array>;
  /**
   * BLAKE3 of the pieces of this source that blocks of the file cut it into, 32 bytes each, of as many as there are. A
   * piece that differs ends the writing before it (`block_digest_mismatch`), and one that breaks off does not count.
   */
  readonly blockDigests?: Uint8Array;
  readonly signal?: AbortSignal;
  /**
   * Told what is durable by now, one call after the other; more may be written meanwhile. What it throws ends the
   * writing.
   */
  onDurable(segments: readonly Segment[]): Promise<void>;
}

export interface Appended {
  /** All that is durable now; what was not told yet is acknowledged by who records this. */
  readonly segments: readonly Segment[];
  /** Whether the last segment may be written to again. */
  readonly grows: boolean;
  /**
   * What the source or `onDurable` threw, or `storage_full`, `storage_unavailable`, `upload_length_mismatch`,
   * `digest_mismatch`.
   */
  readonly failure?: { readonly error: unknown };
}

/** The bytes of uploads, durable piece by piece. One that is late never changes what another has written. */
export interface Segments {
  /**
   * Writes the source behind what is there. Every 64 MiB or 10 seconds what came is made durable and told, and at the
   * end, also that of a source that fails, answered. Never throws: why it ended early is part of the answer.
   */
  append(write: SegmentWrite, source: AsyncIterable<Uint8Array>): Promise<Appended>;
  /**
   * A draft of all the bytes in a backend, hashed and compared with what was declared; without a copy where there is
   * one segment that nobody can write to any more (`sole`), or the backend takes no drafts and the digests are known
   * since the bytes arrived. `owned`: the draft is the segments themselves, so that nobody else discards it.
   */
  stage(
    upload: UploadPlace & { readonly segments: readonly Segment[]; readonly sole: boolean },
    into: string,
    expected: Expected,
    signal?: AbortSignal,
  ): Promise<{ readonly draft: Draft; readonly owned: boolean }>;
  /** Compares all the bytes with what was declared, as `stage` does, and makes nothing of them. */
  check(
    upload: UploadPlace & { readonly segments: readonly Segment[]; readonly sole: boolean },
    expected: Expected,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Gives an upload that has no bytes those of others in its backend, in this order, under names of its own that are
   * made with `epoch`: on a disk without reading them. They are durable when it resolves.
   */
  join(
    upload: UploadPlace & { readonly epoch: number },
    sources: readonly { readonly uploadId: string; readonly segments: readonly Segment[] }[],
  ): Promise<readonly Segment[]>;
  /** Whether `invite` can be answered in this backend. */
  invites(backendId: string): boolean;
  /**
   * An address by which somebody who has no keys of the backend writes one segment of a place: exactly these bytes, to
   * a key that nothing else is read from. Undefined where there is none. What comes by it, and when, shows `arrived`.
   */
  invite(place: UploadPlace, bytes: InvitedBytes, untilMilliseconds: number): Promise<UploadAddress | undefined>;
  /** Those of these bytes that lie in a place by now, with the segment that they are. Nobody has hashed them yet. */
  arrived<T extends InvitedBytes>(place: UploadPlace, invited: readonly T[]): Promise<readonly (readonly [T, Segment])[]>;
  /** Deletes them. Never throws; what cannot be deleted now is reclaimed later. */
  discard(upload: UploadPlace, segments: readonly Segment[]): Promise<void>;
  /** Deletes whatever came to a place by `invite`. Never throws, as `discard`. */
  clear(place: UploadPlace): Promise<void>;
  /**
   * Deletes what lies in a backend of uploads that are not open, and was not written to for `ageSeconds`; how many
   * files or objects. `open` says which of these ids are. A dry run only counts.
   */
  reclaim(
    backendId: string,
    ageSeconds: number,
    open: (uploadIds: readonly string[]) => Promise<readonly string[]>,
    options?: { readonly dryRun?: boolean },
  ): Promise<number>;
}

/** Bytes of small objects that are committed with the log and not in their backend yet. */
export interface HeldBytes {
  /** Undefined where none are held under this key. */
  read(backendId: string, key: string): Promise<Uint8Array | undefined>;
}

/** Enough to read an object's bytes and to know whether they are right. */
export interface StoredObject {
  readonly backendId: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly contentAddress: ContentAddress;
  readonly digestSha256: string;
  /** Without them a range is served by reading the whole object first. */
  readonly blockDigests?: Uint8Array;
  /** Known, since it was live, not to be held: it is looked for in its backend first. */
  readonly settled?: boolean;
}

/** `held`: read where it is held, so that nothing is said of its backend. */
export type Verdict = { readonly result: 'ok'; readonly held?: true } | { readonly result: 'failed' | 'missing'; readonly reason: string };

export const blockBytes = 1_048_576;

/** Longer bytes are never held. */
export const longestHeldBytes = 262_144;

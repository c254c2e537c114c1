import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { blake3, createHasher, sha256, toHex } from '../../kernel/content/digest.ts';
import { filesDigest } from '../../kernel/content/files-digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { mediaTypeOf } from '../../protocol/media-type.ts';
import type { NewFile } from '../../registry/REGISTRY.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { type ReopenableBody, reopenable } from '../wire/body.ts';
import { fileStatus, isSameStatus } from './file-status.ts';
import type { ReadPace } from './read-pace.ts';
import type { TreeFile } from './walk.ts';

/** A file that was read once: its digest, and its bytes when it is small and was read now, not by an earlier push. */
export interface HashedFile extends TreeFile {
  /** SHA-256: every registry finds bytes by it, whatever its primary digest. */
  readonly contentAddress: string;
  /**
   * By algorithm. A large file has BLAKE3 too: knowing it, a registry need not keep the bytes before it sends them on.
   */
  readonly digests: ReadonlyMap<string, Uint8Array>;
  readonly bytes: Uint8Array | undefined;
  /** BLAKE3 of each MiB of a file that has several, and was read now: 32 bytes each, one after the other. */
  readonly blockDigests?: Uint8Array;
  /** Whether it was not read now: its digest was kept by an earlier push. */
  readonly isRemembered: boolean;
  /** Whether the system said the same of it when it was found and after it was read. */
  readonly isSteady: boolean;
}

/** What a file is, to compare it with what a package holds. */
export type FileContent = Pick<HashedFile, 'relativePath' | 'sizeBytes' | 'executable' | 'contentAddress'>;

/** Of a package that holds exactly these files. */
export function filesDigestOf(files: Iterable<FileContent>): string {
  return filesDigest(
    Iterator.from(files).map((file) => ({
      relative_path: file.relativePath,
      size_bytes: file.sizeBytes,
      digest_sha256: file.contentAddress.replace(/^sha256:/, ''),
      annotations: annotationsOf(file),
    })),
  );
}

/** What of a file's mode a package keeps. */
export function annotationsOf({ executable }: Pick<TreeFile, 'executable'>): Readonly<Record<string, string>> {
  return executable ? { mode: 'executable' } : {};
}

/** What a package keeps of a file beside its bytes. */
export function describeFile(file: TreeFile): Pick<NewFile, 'media_type' | 'annotations'> {
  return {
    media_type: mediaTypeOf(file.relativePath),
    ...(file.executable ? { annotations: annotationsOf(file) } : {}),
  };
}

/** Files below this size are read into memory once, hashed there, and sent together with others. */
export const smallFileBytes = 262_144;

const chunkBytes = 1_048_576;

/** Errors: `digest_mismatch` where it is longer or shorter by now or no file any more, `local_file_failed`. */
export async function hashFile(file: TreeFile, signal: AbortSignal, pace?: ReadPace): Promise<HashedFile> {
  signal.throwIfAborted();
  if (file.sizeBytes >= smallFileBytes) return await hashLong(file, signal);
  const { bytes, isSteady } = await (pace === undefined
    ? readElsewhere(file)
    : pace.read(
        () => readHere(file),
        () => readElsewhere(file),
      ));
  return { ...hashed(file, sha256(bytes)), bytes, isSteady };
}

async function hashLong(file: TreeFile, signal: AbortSignal): Promise<HashedFile> {
  const handle = await openFile(file);
  try {
    const hashers = [createHasher('sha256'), createHasher('blake3')] as const;
    const blocks: Uint8Array[] = [];
    let [read, isWhole] = [0, true];
    for await (const chunk of chunksOf(handle, file, signal)) {
      for (const hasher of hashers) hasher.update(chunk);
      // One that was cut short in the middle is no MiB, and neither is what comes after it.
      isWhole &&= read % chunkBytes === 0;
      if (isWhole) blocks.push(blake3(chunk));
      read += chunk.length;
    }
    return {
      ...hashed(file, hashers[0].digest(), hashers[1].digest()),
      ...(isWhole && blocks.length > 1 ? { blockDigests: new Uint8Array(Buffer.concat(blocks)) } : {}),
      isSteady: isSameNow(file, handle.fd),
    };
  } finally {
    await handle.close();
  }
}

interface ReadNow {
  readonly bytes: Uint8Array;
  readonly isSteady: boolean;
}

function readHere(file: TreeFile): ReadNow {
  try {
    const descriptor = openSync(file.path, openFlags);
    try {
      const buffer = roomFor(file);
      let length = 0;
      for (;;) {
        const count = readSync(descriptor, buffer, length, buffer.length - length, null);
        length += count;
        if (count === 0 || length >= file.sizeBytes) break;
      }
      return { bytes: wholeOf(file, buffer, length), isSteady: isSameNow(file, descriptor) };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw errnoCode(error) === undefined ? error : unreadable(file, error);
  }
}

async function readElsewhere(file: TreeFile): Promise<ReadNow> {
  const handle = await openFile(file);
  try {
    const buffer = roomFor(file);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null).catch((error: unknown) => {
        throw unreadable(file, error);
      });
      length += bytesRead;
      if (bytesRead === 0 || length >= file.sizeBytes) break;
    }
    return { bytes: wholeOf(file, buffer, length), isSteady: isSameNow(file, handle.fd) };
  } finally {
    await handle.close();
  }
}

/** One byte more shows a file that grew. */
function roomFor(file: TreeFile): Uint8Array {
  return new Uint8Array(file.sizeBytes + 1);
}

function wholeOf(file: TreeFile, buffer: Uint8Array, length: number): Uint8Array {
  if (length !== file.sizeBytes) throw changed(file);
  return buffer.subarray(0, length);
}

function isSameNow(file: TreeFile, descriptor: number): boolean {
  return isSameStatus(file.status, fileStatus(fstatSync(descriptor, { bigint: true })));
}

/** A file that is as it was when an earlier push read it, and this digest was that of its bytes. */
export function rememberedFile(file: TreeFile, sha256: Uint8Array): HashedFile {
  return { ...hashed(file, sha256), isRemembered: true };
}

/** The bytes of a large file from there on, read each time. `digest_mismatch` where it is longer or shorter by now. */
export function fileBodyFrom(file: HashedFile, offset: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return readChunks(file, signal, offset);
}

/**
 * The file's bytes as an upload takes them: from memory, or read again each time it is sent; `onBytes` is told how many
 * went out this time.
 */
export function fileBody(file: HashedFile, signal: AbortSignal, onBytes?: (count: number) => void): ReopenableBody {
  const { bytes } = file;
  return reopenable(async function* () {
    let count = 0;
    onBytes?.(count);
    for await (const chunk of bytes === undefined ? readChunks(file, signal) : whole(bytes)) {
      yield chunk;
      count += chunk.length;
      onBytes?.(count);
    }
  });
}

function* whole(bytes: Uint8Array): Iterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

export function changed(file: TreeFile, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('digest_mismatch', `"${file.relativePath}" changed while it was being pushed.`, {
    field: file.relativePath,
    info: { hint: 'push again when nothing writes to the directory' },
    cause,
  });
}

function hashed(file: TreeFile, digest: Uint8Array, blake3?: Uint8Array): HashedFile {
  const digests = new Map([['sha256', digest], ...(blake3 === undefined ? [] : [['blake3', blake3] as const])]);
  const contentAddress = `sha256:${toHex(digest)}`;
  return { ...file, contentAddress, digests, bytes: undefined, isRemembered: false, isSteady: false };
}

async function* readChunks(file: TreeFile, signal: AbortSignal, offset = 0): AsyncIterable<Uint8Array> {
  const handle = await openFile(file);
  try {
    yield* chunksOf(handle, file, signal, offset);
  } finally {
    await handle.close();
  }
}

async function* chunksOf(handle: FileHandle, file: TreeFile, signal: AbortSignal, offset = 0): AsyncIterable<Uint8Array> {
  let length = offset;
  for (;;) {
    signal.throwIfAborted();
    const chunk = new Uint8Array(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, length).catch((error: unknown) => {
      throw unreadable(file, error);
    });
    if (bytesRead === 0) break;
    length += bytesRead;
    if (length > file.sizeBytes) throw changed(file);
    yield chunk.subarray(0, bytesRead);
  }
  if (length !== file.sizeBytes) throw changed(file);
}

/** A link or a pipe that took the file's place is not followed, and not waited for. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function openFile(file: TreeFile): Promise<FileHandle> {
  try {
    return await open(file.path, openFlags);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: TreeFile, error: unknown): unknown {
  if (replacedCodes.has(errnoCode(error) ?? '')) return changed(file, error);
  return localFileError(error, file.path, 'read', { field: file.relativePath });
}

/** What is there now is no regular file. */
const replacedCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO']);

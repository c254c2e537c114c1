import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { syncDirectory } from '../../runtime/durable-directory.ts';
import { fileError } from '../../runtime/file-error.ts';
import { blockBytes } from '../DATAPLANE.ts';

/** A file that grows, and keeps what was synced whatever happens to its writer. One write after the other. */
export interface SegmentFile {
  /** What the file was marked with when it was opened; undefined for a new one. */
  readonly mark: string | undefined;
  /** Writes behind what was written; until it settles, the bytes must stay as they are. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves to how many bytes of the file are durable: all that were written when it was called. One at a time. */
  sync(): Promise<number>;
  /**
   * Cuts off what is behind the first `bytes`, which were synced, and closes the file; what it is marked with then.
   * Throws when there may be more bytes still, or when what was synced is in doubt.
   */
  close(bytes: number): Promise<string>;
}

/**
 * Opens a new file at `path`, or the one that is there to be continued behind its first `kept` bytes. A file that has
 * fewer has lost what was acknowledged: `storage_unavailable`, which says so.
 */
export async function openSegmentFile(path: string, kept: number | undefined): Promise<SegmentFile> {
  let written = kept ?? 0;
  let trusted = true;
  const { handle, mark } = await openFile(path, kept);

  async function naming<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, path);
    }
  }

  return {
    mark,
    write: (bytes) =>
      naming(async () => {
        for (let offset = 0; offset < bytes.byteLength; ) {
          const { bytesWritten } = await handle.write(bytes, offset, bytes.byteLength - offset, written);
          offset += bytesWritten;
          written += bytesWritten;
        }
      }),
    sync: () =>
      naming(async () => {
        // A failed sync may have dropped pages, and the next would call them good: such a file is never written to
        // again.
        if (!trusted) throw undone(path);
        const upTo = written;
        await handle.datasync().catch((error: unknown) => {
          trusted = false;
          throw error;
        });
        return upTo;
      }),
    close: (bytes) =>
      naming(async () => {
        try {
          if (written > bytes) await handle.truncate(bytes);
          if (!trusted) throw undone(path);
          return markIn(await handle.stat({ bigint: true }));
        } finally {
          await handle.close();
        }
      }),
  };
}

function undone(path: string): ArtifactstoreError {
  return new ArtifactstoreError('storage_unavailable', `The store could not make bytes durable at ${path}`);
}

/** Its mark tells whether somebody has touched the file since. `storage_unavailable` where it has lost bytes. */
export async function markOf(path: string, bytes: number): Promise<{ readonly mark: string; readonly exact: boolean }> {
  const status = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw fileError(error, path);
  });
  if (status.size < bytes) throw lost(path, Number(status.size), bytes);
  return { mark: markIn(status), exact: status.size === BigInt(bytes) };
}

function markIn({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino}-${size}-${mtimeNs}`;
}

interface OpenedFile {
  readonly handle: FileHandle;
  readonly mark: string | undefined;
}

async function openFile(path: string, kept: number | undefined): Promise<OpenedFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, kept === undefined ? 'wx' : 'r+', 0o600);
    if (kept === undefined) {
      await syncDirectory(dirname(path));
      return { handle, mark: undefined };
    }
    const status = await handle.stat({ bigint: true });
    if (status.size < kept) throw lost(path, Number(status.size), kept);
    if (status.size > kept) await handle.truncate(kept);
    return { handle, mark: markIn(status) };
  } catch (error) {
    await handle?.close();
    throw fileError(error, path);
  }
}

/** The first `bytes` of the file, in blocks that are valid until the next one is asked for. */
export async function* readSegmentFile(path: string, bytes: number): AsyncGenerator<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(blockBytes, bytes)));
    for (let position = 0; position < bytes; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.byteLength, bytes - position), position);
      if (bytesRead === 0) throw lost(path, position, bytes);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError(error, path);
  } finally {
    await handle?.close();
  }
}

function lost(path: string, size: number, kept: number): ArtifactstoreError {
  return new ArtifactstoreError(
    'storage_unavailable',
    `The draft at ${path} has ${size} bytes, and ${kept} were acknowledged: bytes of an upload are lost; begin it again.`,
    { info: { lost: true } },
  );
}

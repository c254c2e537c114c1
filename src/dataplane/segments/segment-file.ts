import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { fileError } from '../../runtime/file-error.ts';
import { blockBytes } from '../DATAPLANE.ts';

/** A file that grows, and keeps what was synced whatever happens to its writer. */
export interface SegmentFile {
  /** Writes behind what was written; until it resolves, the bytes must stay as they are. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves to how many bytes of the file are durable: all that were written. */
  sync(): Promise<number>;
  /** Cuts off what was not synced, and closes the file. Throws when there may be such bytes still. */
  close(): Promise<void>;
}

/**
 * Opens a new file at `path`, or the one that is there to be continued behind its first `kept` bytes. A file that has
 * fewer has lost what was acknowledged: `storage_unavailable`, which says so.
 */
export async function openSegmentFile(path: string, kept: number | undefined): Promise<SegmentFile> {
  let written = kept ?? 0;
  let synced = written;
  let trusted = true;
  const handle = await openFile(path, kept);

  async function naming<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, path);
    }
  }

  return {
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
        trusted = false;
        await handle.datasync();
        trusted = true;
        synced = written;
        return synced;
      }),
    close: () =>
      naming(async () => {
        try {
          if (written > synced) await handle.truncate(synced);
          if (!trusted) throw new ArtifactstoreError('storage_unavailable', `The store could not make bytes durable at ${path}`);
        } finally {
          await handle.close();
        }
      }),
  };
}

async function openFile(path: string, kept: number | undefined): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, kept === undefined ? 'wx' : 'r+', 0o600);
    if (kept === undefined) {
      await syncDirectory(dirname(path));
      return handle;
    }
    const { size } = await handle.stat();
    if (size < kept) throw lost(path, size, kept);
    if (size > kept) await handle.truncate(kept);
    return handle;
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
  );
}

/** The name of a file that is to be found after a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

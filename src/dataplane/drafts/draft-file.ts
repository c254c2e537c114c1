import { type FileHandle, open, unlink } from 'node:fs/promises';
import { createHasher, toHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { fileError } from '../../runtime/file-error.ts';
import type { Rounds } from '../../runtime/rounds.ts';
import { blockBytes, type Digests } from '../DATAPLANE.ts';

/** A draft being written, one write after the other. Errors are the store's: `storage_full`, `storage_unavailable`. */
export interface DraftFile {
  /**
   * Resolves when the bytes are in the file; until then they must stay as they are. Writes happen in the order of the
   * calls.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes all that was written durable, and closes the file. */
  finish(): Promise<void>;
  /** Closes and removes the file. Never throws. */
  abandon(): Promise<void>;
}

/**
 * Short files are made durable together, in `rounds`; a long one would keep them waiting. Without `rounds` nothing is
 * made durable: for bytes that are lost with the process and sent again.
 */
export function createDraftFile(path: string, rounds: Rounds | undefined): DraftFile {
  let handle: FileHandle | undefined;
  let last: Promise<void> = Promise.resolve();
  let flushing: Promise<void> = Promise.resolve();
  let unflushed = 0;
  let size = 0;

  async function append(bytes: Uint8Array): Promise<void> {
    try {
      handle ??= await open(path, 'wx', 0o600);
      if (rounds !== undefined && unflushed >= flushBytes) await flushAlong(handle);
      await writeWhole(handle, bytes);
      unflushed += bytes.byteLength;
      size += bytes.byteLength;
    } catch (error) {
      throw fileError(error, path);
    }
  }

  // Left alone, the kernel keeps the whole file dirty until the final fsync, which then waits for all of it at once.
  async function flushAlong(file: FileHandle): Promise<void> {
    await flushing;
    unflushed = 0;
    flushing = file.datasync();
    flushing.catch(() => undefined);
  }

  return {
    write(bytes) {
      last = last.then(() => append(bytes));
      last.catch(() => undefined);
      return last;
    },

    // Data and size are what a reader needs, so fdatasync is enough; times may be lost. The name of the draft need not
    // be durable: it is only ever linked to another name, whose directory is then fsynced.
    async finish() {
      await last;
      try {
        await flushing;
        const file = handle;
        if (file !== undefined && rounds !== undefined) await (size <= blockBytes ? rounds(() => file.datasync()) : file.datasync());
        await handle?.close();
        handle = undefined;
      } catch (error) {
        throw fileError(error, path);
      }
    },

    async abandon() {
      await last.catch(() => undefined);
      await flushing.catch(() => undefined);
      await handle?.close().catch(() => undefined);
      handle = undefined;
      await unlink(path).catch(() => undefined);
    },
  };
}

/** A write may take fewer bytes than it was given. */
async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.byteLength - offset);
    offset += bytesWritten;
  }
}

/**
 * The draft's bytes as they were hashed, its last block withheld until that is known: `integrity_failure` when they are
 * not. As often as wanted.
 */
export function readDraft(path: string, draft: Digests & { readonly sizeBytes: number }): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => readOnce(path, draft) };
}

async function* readOnce(path: string, draft: Digests & { readonly sizeBytes: number }): AsyncGenerator<Uint8Array> {
  const hasher = createHasher(draft.digestAlgorithm);
  let size = 0;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    while (size < draft.sizeBytes) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(Math.min(blockBytes, draft.sizeBytes - size)));
      const bytes = buffer.subarray(0, bytesRead);
      hasher.update(bytes);
      size += bytesRead;
      if (bytesRead === 0 || (size === draft.sizeBytes && toHex(hasher.digest()) !== draft.digestPrimary)) {
        throw new ArtifactstoreError('integrity_failure', `The draft at ${path} is not what was written to it`);
      }
      yield bytes;
    }
  } catch (error) {
    throw fileError(error, path);
  } finally {
    await handle?.close();
  }
}

/** How much may be dirty before an fdatasync runs beside the writes. */
const flushBytes = 32 * 1_048_576;

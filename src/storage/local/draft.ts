import { type FileHandle, open, unlink } from 'node:fs/promises';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { fileError } from '../../runtime/file-error.ts';
import { stoppable } from '../../runtime/stop.ts';
import type { PutOptions } from '../STORAGE.ts';

/**
 * Writes the source to a new file at `path` and fsyncs it. On any failure the file is removed, also when only the fsync
 * failed: the kernel may have dropped the pages and call the next fsync good, so those bytes are never trusted again.
 */
export async function writeDraft(path: string, source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<void> {
  let handle: FileHandle | undefined;
  let good = false;
  try {
    handle = await open(path, 'wx', 0o600).catch(asFileError(path));
    let size = 0;
    for await (const chunk of stoppable(source, options.signal)) {
      size += chunk.byteLength;
      if (options.sizeBytes !== undefined && size > options.sizeBytes) break;
      await writeWhole(handle, chunk).catch(asFileError(path));
    }
    if (options.sizeBytes !== undefined && size !== options.sizeBytes) {
      throw new ArtifactstoreError('length_mismatch', `The source is not the declared ${options.sizeBytes} bytes long`);
    }
    await handle.datasync().catch(asFileError(path));
    good = true;
  } finally {
    await handle?.close().catch(() => undefined);
    if (!good && handle !== undefined) await unlink(path).catch(() => undefined);
  }
}

/** A write may take fewer bytes than it was given. */
async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.byteLength - offset);
    offset += bytesWritten;
  }
}

function asFileError(path: string): (error: unknown) => never {
  return (error) => {
    throw fileError(error, path);
  };
}

import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { makeDurableDirectory } from '../runtime/durable-directory.ts';
import { fileError, fileReason } from '../runtime/file-error.ts';
import { replaceFile } from '../runtime/replace-file.ts';

/** Gives `path` these bytes in one step: whoever looks finds the old ones or the new ones, also after a power cut. */
export async function writeDurably(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await replaceFile(path, chunks, { mode: 0o600 });
  } catch (error) {
    throw backupError(error, path);
  }
}

/** Makes a directory and what is missing above it, each durable in its parent. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeDurableDirectory(path, 0o700);
  } catch (error) {
    throw backupError(error, path);
  }
}

/** What the operating system's error means for who makes or reads a backup. */
export function backupError(error: unknown, path: string): unknown {
  const meant = fileError(error, path);
  if (!isArtifactstoreError(meant, 'storage_unavailable')) return meant;
  return new ArtifactstoreError('storage_unavailable', `The backup cannot be used at ${path}: ${fileReason(error)}.`, { cause: error });
}

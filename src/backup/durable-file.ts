import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { makeDurableDirectory, syncDirectory } from '../runtime/durable-directory.ts';
import { fileError, fileReason } from '../runtime/file-error.ts';

/** Gives `path` these bytes in one step: whoever looks finds the old ones or the new ones, also after a power cut. */
export async function writeDurably(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${path}.${randomUUID()}${draftSuffix}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
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

/** Whether a file has the name that this module gives to what it has not finished. */
export function isDraft(name: string): boolean {
  return /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.draft$/.test(name);
}

const draftSuffix = '.draft';

import { closeSync, constants, fchmodSync, lstatSync, openSync, readSync } from 'node:fs';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { createCheck, isExecutable } from '../tree/file-check.ts';

/** Whether the right bytes are there; if so, sets the executable bit right. */
export function holds(path: string, file: ManifestFile): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile() || status.size !== file.size_bytes) return false;
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const check = createCheck(file);
    const chunk = new Uint8Array(Math.min(chunkBytes, file.size_bytes + 1));
    for (let count = readSync(descriptor, chunk); count > 0; count = readSync(descriptor, chunk)) check.update(chunk.subarray(0, count));
    if (check.fault() !== undefined) return false;
    const executable = isExecutable(file);
    if (executable !== ((status.mode & 0o111) !== 0)) fchmodSync(descriptor, executable ? status.mode | 0o111 : status.mode & ~0o111);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

const chunkBytes = 1_048_576;

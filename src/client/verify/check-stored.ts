import { isArtifactstoreError } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import type { RemoteRegistry } from '../connect.ts';
import { createCheck } from '../tree/file-check.ts';
import { type Finding, found } from './finding.ts';

/** Reads a file's bytes from the server. A server or a storage that does not answer is an error, not a finding. */
export async function checkStored(registry: RemoteRegistry, file: ManifestFile, signal: AbortSignal): Promise<Finding | undefined> {
  try {
    const check = createCheck(file);
    for await (const chunk of await registry.download(file, signal)) check.update(chunk);
    const fault = check.fault();
    return fault === undefined ? undefined : found(file, 'damaged', fault);
  } catch (error) {
    if (isArtifactstoreError(error, 'integrity_failure') || isArtifactstoreError(error, 'object_not_found'))
      return found(file, 'damaged', error.message);
    if (isArtifactstoreError(error, 'file_not_found') || isArtifactstoreError(error, 'package_collected'))
      return found(file, 'missing', error.message);
    throw error;
  }
}

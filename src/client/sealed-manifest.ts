import { ArtifactstoreError } from '../kernel/error.ts';
import type { RemoteRegistry } from './connect.ts';
import { type ReadManifest, readManifest } from './manifest-file.ts';

/** The manifest of a sealed package; one that is not sealed yet is `package_not_finalized`. */
export async function sealedManifest(registry: RemoteRegistry, packageId: string): Promise<ReadManifest> {
  const { bytes } = await registry.packages.manifest(packageId);
  const read = readManifest(bytes);
  if (read.manifest.package.id !== packageId)
    throw new ArtifactstoreError('integrity_failure', `The server sent the manifest of package ${read.manifest.package.id}.`);
  return read;
}

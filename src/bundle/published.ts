import { ArtifactstoreError } from '../kernel/error.ts';
import type { PublishedArtifacts } from './addresses.ts';
import type { LocalBundle } from './local-bundle.ts';
import { addressPath } from './manifest.ts';

/** Throws `invalid_value` when two bundles have artifacts of one name: an address by that name would be either's. */
export function requireDistinctNames(bundles: readonly LocalBundle[]): void {
  const files = new Map<string, string>();
  for (const { bundle, file } of bundles)
    for (const { name } of bundle.artifacts) {
      const other = files.get(name);
      if (other !== undefined)
        throw new ArtifactstoreError('invalid_value', `Two bundles have an artifact "${name}": "${other}" and "${file}".`, {
          info: { hint: 'publish them one by one, or name one of the artifacts otherwise' },
        });
      files.set(name, file);
    }
}

/** All artifacts with their addresses at a server. */
export function addressedArtifacts(bundles: readonly LocalBundle[], server: string): PublishedArtifacts {
  const base = server.replace(/\/+$/, '');
  return Object.fromEntries(
    bundles.flatMap(({ bundle }) =>
      bundle.artifacts.map((artifact) => {
        const { name, sha256, size_bytes } = artifact;
        return [name, { url: `${base}${addressPath(artifact)}`, sha256, size_bytes }] as const;
      }),
    ),
  );
}

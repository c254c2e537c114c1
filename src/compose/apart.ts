// A copy that lies within its original is lost with it, and is counted as part of it.
import { isAbsolute } from 'node:path';
import type { Config } from '../config/config.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { isWithin, realPlace } from '../runtime/real-place.ts';
import { type BackendKind, kindOf } from '../storage/kind.ts';

interface Place {
  /** As people named it. */
  readonly path: string;
  readonly setting: string;
}

/** Throws `target_in_use` where a backup would lie within a backend's directory, or such a directory within it. */
export async function requireOutsideStores(
  directory: string,
  config: Pick<Config, 'backends'>,
  kinds: readonly BackendKind[],
): Promise<void> {
  const backup = await realPlace(directory);
  for (const { path, setting } of storesOf(config, kinds)) {
    const store = await realPlace(path);
    if (isWithin(backup, store))
      throw inUse(`${directory} lies within ${path}, the storage of this registry (${setting}): a backup there is lost with it.`);
    if (isWithin(store, backup)) throw inUse(`${path}, the storage of this registry (${setting}), lies within ${directory}.`);
  }
}

/** Throws `target_in_use` where the database or a backend's directory would be made within the backup itself. */
export async function requireTargetsOutside(
  directory: string,
  config: Pick<Config, 'backends' | 'database'>,
  kinds: readonly BackendKind[],
): Promise<void> {
  const backup = await realPlace(directory);
  const { database } = config;
  const targets = storesOf(config, kinds);
  if (database.kind === 'sqlite') targets.push({ path: database.path, setting: 'ARTIFACTSTORE_DATABASE_URL' });
  for (const { path, setting } of targets)
    if (isWithin(await realPlace(path), backup))
      throw new ArtifactstoreError('target_in_use', `${path} (${setting}) lies within the backup ${directory}. Nothing was changed.`, {
        info: { hint: 'name a place outside of the backup, so that it stays as it is' },
      });
}

/** The directories of backends on this machine; a bucket has none. */
function storesOf({ backends }: Pick<Config, 'backends'>, kinds: readonly BackendKind[]): Place[] {
  return backends
    .map((backend) => kindOf(backend, kinds).nameOf(backend))
    .filter(({ where }) => isAbsolute(where))
    .map(({ where, setting }) => ({ path: where, setting }));
}

function inUse(message: string): ArtifactstoreError {
  return new ArtifactstoreError('target_in_use', message, {
    info: { hint: 'name another directory, best on another disk; what is there of an earlier backup can be moved' },
  });
}

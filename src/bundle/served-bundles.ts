import { readdir } from 'node:fs/promises';
import { isRelativePath, type RelativePath } from '../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { localFileError } from '../runtime/file-error.ts';
import { sharedLater } from '../runtime/shared-later.ts';
import type { Artifact, Bundle } from './manifest.ts';
import { openInside } from './open-inside.ts';
import { type ReadManifest, readManifest, stateOf } from './read-manifest.ts';

/** A manifest that cannot be used, and why. */
export interface UnusableManifest {
  readonly file: string;
  readonly error: ArtifactstoreError;
}

/** The bundles whose manifests lie in a directory. */
export interface ServedBundles {
  /**
   * All of them as they are now: a manifest that came or changed is read. Those that cannot be used are told beside.
   * Throws `local_file_failed` where the directory cannot be read.
   */
  look(): Promise<Look>;
}

export interface Look {
  readonly bundles: readonly Bundle[];
  readonly unusable: readonly UnusableManifest[];
  /** The artifacts that have this SHA-256, in hex. */
  withDigest(sha256: string): readonly Artifact[];
}

/** `bundle.json`, or a name that ends in `.bundle.json`. */
export function isManifestName(name: string): boolean {
  return (name === 'bundle.json' || name.endsWith('.bundle.json')) && isRelativePath(name);
}

export function openServedBundles(directory: string): ServedBundles {
  let known: ReadonlyMap<string, ReadManifest> = new Map();
  let before: { readonly states: string; readonly look: Look } | undefined;

  async function readAll(): Promise<Look> {
    const names = (await namesIn(directory)).filter(isManifestName).sort();
    const read = new Map<string, ReadManifest>();
    const unusable: UnusableManifest[] = [];
    for (const name of names) {
      try {
        read.set(name, await refreshed(directory, name as RelativePath, known.get(name)));
      } catch (error) {
        if (!isArtifactstoreError(error)) throw error;
        // It went between the two looks.
        if (error.code !== 'object_not_found') unusable.push({ file: name, error });
      }
    }
    known = read;
    const states = [...read.values()].map(({ state }) => state).join();
    if (before?.states === states && unusable.length === 0 && before.look.unusable.length === 0) return before.look;
    const look = lookAt(
      [...read.values()].map(({ bundle }) => bundle),
      unusable,
    );
    before = { states, look };
    return look;
  }

  return { look: sharedLater(readAll) };
}

function lookAt(bundles: readonly Bundle[], unusable: readonly UnusableManifest[]): Look {
  const byDigest = new Map<string, Artifact[]>();
  for (const artifact of bundles.flatMap(({ artifacts }) => artifacts)) {
    const same = byDigest.get(artifact.sha256);
    if (same === undefined) byDigest.set(artifact.sha256, [artifact]);
    else same.push(artifact);
  }
  return { bundles, unusable, withDigest: (sha256) => byDigest.get(sha256) ?? [] };
}

async function refreshed(directory: string, name: RelativePath, known: ReadManifest | undefined): Promise<ReadManifest> {
  if (known !== undefined) {
    await using handle = await openInside(directory, name);
    if (stateOf(await handle.stat({ bigint: true })) === known.state) return known;
  }
  return await readManifest(directory, name);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const told = localFileError(error, directory, 'read');
    throw isArtifactstoreError(told) ? new ArtifactstoreError('local_file_failed', told.message, { cause: error }) : told;
  }
}

import { join, resolve } from 'node:path';
import type { RemoteRegistry } from '../connect.ts';
import { sealedManifest } from '../sealed-manifest.ts';
import { libraryNames } from '../transfer-options.ts';
import { makeDraftFolder, removeDeadDrafts } from './drafts.ts';
import { chooseManifestPlace } from './manifest-place.ts';
import { fillDirectory, type PlaceOptions } from './place-files.ts';
import { refuseUnplaceable } from './placeable.ts';
import { prepareDirectory, unmake } from './target-directory.ts';

export interface PullOptions extends PlaceOptions {
  /** Takes a directory that is not empty, as after a pull that was stopped: wrong files are replaced, others stay. */
  readonly force?: boolean;
  /**
   * Where the manifest is saved: as JSON when the name ends in `.json`, else as CBOR. Beside the directory where
   * absent; false for nowhere.
   */
  readonly manifest?: string | false;
  /** What messages call the directory; its path where absent. */
  readonly shownDirectory?: string;
  /** Told of what is left as it is. */
  onNote?(text: string): void;
}

/** What a pull did. Sizes are in bytes. */
export interface Pulled {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  readonly total_bytes: number;
  /** Those that were not there already. */
  readonly written_files: number;
  readonly written_bytes: number;
  /** Where the manifest was saved. */
  readonly manifest_file: string | null;
}

/**
 * Brings a sealed package's files into a directory, which is made when it is not there. Each file is checked against
 * the manifest, its length and both digests, before it gets its name. An error in the middle says in its info what the
 * directory is by then: `right_files` of `file_count`; the same pull with `force` brings the rest. Errors: what the
 * registry answers; `package_not_finalized`; `path_conflict` when the directory is not empty or can't hold the package;
 * `integrity_failure` for bytes or a manifest that are not as they should be.
 */
export async function pullPackage(
  registry: RemoteRegistry,
  packageId: string,
  directory: string,
  options: PullOptions = {},
): Promise<Pulled> {
  const { force = false, manifest, names = libraryNames, shownDirectory = directory, onNote, onWarning } = options;
  const root = resolve(directory);
  const read = await sealedManifest(registry, packageId);
  const { files } = read.manifest;
  const made = await prepareDirectory(root, shownDirectory, force, names);
  const { manifestPlace, drafts } = await prepare().catch(async (error: unknown) => {
    await unmake(root, made);
    throw error;
  });
  const placed = await fillDirectory(registry, root, drafts, files, { ...options, packageId });
  return {
    package_id: packageId,
    manifest_digest: read.digest,
    file_count: files.length,
    total_bytes: placed.total_bytes,
    written_files: placed.written_files,
    written_bytes: placed.written_bytes,
    manifest_file: (await manifestPlace.save()) ?? null,
  };

  async function prepare() {
    await refuseUnplaceable(root, files);
    const place = typeof manifest === 'string' ? resolve(manifest) : manifest;
    const manifestPlace = await chooseManifestPlace(root, { manifest: place, force, names, onWarning: (text) => onWarning?.(text) }, read);
    if (force)
      for (const name of await removeDeadDrafts(root))
        onNote?.(`"${join(shownDirectory, name)}" is left there: another pull into this directory may be using it`);
    return { manifestPlace, drafts: await makeDraftFolder(root) };
  }
}

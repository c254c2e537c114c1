import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { loadManifest, manifestBeside, type ReadManifest, saveManifest } from '../manifest-file.ts';
import type { OptionNames } from '../transfer-options.ts';

/**
 * Where a pull keeps the manifest, checked before anything is fetched: no file of the package, and nothing else that is
 * there, is written over.
 */
export interface ManifestPlace {
  /** Answers the path; undefined when it is not to be saved, or the place that nobody asked for can't be written. */
  save(): Promise<string | undefined>;
}

export interface ManifestChoice {
  /** An absolute path; undefined for the place beside the directory, false for none. */
  readonly manifest: string | false | undefined;
  readonly force: boolean;
  readonly names: OptionNames;
  onWarning(text: string): void;
}

export async function chooseManifestPlace(root: string, choice: ManifestChoice, read: ReadManifest): Promise<ManifestPlace> {
  const { manifest: asked, force, names } = choice;
  // The root of a file system has nothing beside it.
  if (asked === false || (asked === undefined && dirname(root) === root)) return { save: async () => undefined };
  const path = asked === undefined ? manifestBeside(root) : asked;
  const mayFail = (error: unknown): undefined => {
    // A place that nobody asked for is no reason to fail; what is in the way there is.
    if (asked !== undefined || !isArtifactstoreError(error) || error.code === 'path_conflict') throw error;
    choice.onWarning(`the manifest is not saved beside the directory: ${error.message}`);
    return undefined;
  };
  const there = await check().catch(mayFail);
  return {
    async save() {
      if (there === undefined) return undefined;
      try {
        if (there !== 'same') saveManifest(path, read, there);
        return path;
      } catch (error) {
        return mayFail(error);
      }
    },
  };

  async function check() {
    await requireFolder(path, names);
    await refuseClash(root, path, read, names);
    return await whatIsThere(path, read, { force, named: asked !== undefined, names });
  }
}

async function requireFolder(path: string, names: OptionNames): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch((error: unknown) => {
    throw localFileError(error, folder, 'used for the manifest', { field: names.manifest });
  });
  if (!found.isDirectory())
    throw new ArtifactstoreError('invalid_path', `"${folder}" is not a folder: the manifest can't be saved in it.`, {
      field: names.manifest,
    });
}

/** Links are followed, so that one place under two names is seen. */
async function refuseClash(root: string, path: string, { manifest }: ReadManifest, names: OptionNames): Promise<void> {
  const [realRoot, realFolder] = await Promise.all([realpath(root), realpath(dirname(path))]).catch((error: unknown) => {
    throw localFileError(error, path, 'used for the manifest');
  });
  const within = relative(realRoot, join(realFolder, basename(path)));
  if (within.startsWith('..') || within === '') return;
  const name = within.split(sep).join('/').toLowerCase();
  const clash = manifest.files.find(({ relative_path }) => {
    const file = relative_path.toLowerCase();
    return file === name || file.startsWith(`${name}/`) || name.startsWith(`${file}/`);
  });
  if (clash !== undefined)
    throw new ArtifactstoreError('path_conflict', `"${path}" is where the file "${clash.relative_path}" of the package belongs.`, {
      field: names.manifest,
      info: { hint: 'save the manifest under another name, best outside the directory' },
    });
}

/** `nothing`, or what may be written over: a device or pipe that somebody named, or with --force another manifest. */
async function whatIsThere(
  path: string,
  read: ReadManifest,
  { force, named, names }: { readonly force: boolean; readonly named: boolean; readonly names: OptionNames },
): Promise<'nothing' | 'replaceable' | 'same'> {
  const found = await lstat(path).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw localFileError(error, path, 'used for the manifest');
  });
  if (found === undefined) return 'nothing';
  const target = await stat(path).catch(() => undefined);
  if (named && (target?.isCharacterDevice() === true || target?.isFIFO() === true)) return 'replaceable';
  const saved = target?.isFile() === true ? loaded(path) : undefined;
  if (saved?.digest === read.digest) return 'same';
  if (saved !== undefined && force) return 'replaceable';
  throw new ArtifactstoreError(
    'path_conflict',
    saved === undefined
      ? `The manifest would be saved to "${path}", and something else is there.`
      : `The manifest would be saved to "${path}", and the manifest of package ${saved.manifest.package.id} is there.`,
    {
      field: names.manifest,
      info: {
        hint: `${saved === undefined ? '' : `${names.force} replaces it; or `}save it elsewhere with ${names.manifest}, or nowhere with ${names.noManifest}`,
      },
    },
  );
}

function loaded(path: string): ReadManifest | undefined {
  try {
    return loadManifest(path);
  } catch (error) {
    if (isArtifactstoreError(error)) return undefined;
    throw error;
  }
}

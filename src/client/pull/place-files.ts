import { resolve } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError, withInfo } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { fileReason, localFileError } from '../../runtime/file-error.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { RemoteRegistry } from '../connect.ts';
import { endOf, libraryNames, noSignal, type TransferOptions, usualJobs } from '../transfer-options.ts';
import { type DraftFolder, makeDraftFolder } from './drafts.ts';
import { createPlacer, type Placer } from './place.ts';
import { refuseUnplaceable } from './placeable.ts';

export interface PlaceOptions extends TransferOptions {
  /** The sealed package that all of the files are of: small ones then come many in one answer. */
  readonly packageId?: string;
  /** Told of what went wrong beside the work. */
  onWarning?(text: string): void;
  /**
   * Called when a file has failed, before unfinished files are removed: connections may be the open files that are too
   * many.
   */
  onFailed?(): Promise<void>;
}

/** Where the bytes come from. */
export type Source = Pick<RemoteRegistry, 'download'> & Partial<Pick<RemoteRegistry, 'downloadMany'>>;

/** What became of the files. Sizes are in bytes. */
export interface Placed {
  readonly total_bytes: number;
  /** Those that were not there already. */
  readonly written_files: number;
  readonly written_bytes: number;
}

/**
 * Puts files of a manifest below a directory that is there, and nowhere else, whatever the manifest says and whatever
 * links stand there. A file that is right already stays; any other is written aside, its length and both digests are
 * checked, and only then it gets its name. What else is in the directory stays. Errors: `path_conflict` for what the
 * directory can't hold, before anything is fetched; `integrity_failure` for wrong bytes; with `right_files` of
 * `file_count` in the info once it has begun.
 */
export async function placeFiles(
  registry: Source,
  directory: string,
  files: readonly ManifestFile[],
  options: PlaceOptions = {},
): Promise<Placed> {
  const root = resolve(directory);
  await refuseUnplaceable(root, files);
  return await fillDirectory(registry, root, await makeDraftFolder(root), files, options);
}

/** Does it with a folder for unfinished files, which it removes. */
export async function fillDirectory(
  registry: Source,
  root: string,
  drafts: DraftFolder,
  files: readonly ManifestFile[],
  options: PlaceOptions,
): Promise<Placed> {
  const { jobs = usualJobs, signal = noSignal(), names = libraryNames, onTotal, onDone, onWarning, onFailed } = options;
  const total_bytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  let written_bytes = 0;
  let written_files = 0;
  let right_files = 0;
  const written = ({ size_bytes }: ManifestFile): void => {
    written_bytes += size_bytes;
    written_files += 1;
    right_files += 1;
  };
  try {
    onTotal?.(total_bytes);
    await using placer = createPlacer(root, drafts.path);
    await forEachLimited(batchesOf(files), jobs, async (batch) => {
      signal.throwIfAborted();
      const there = await placer.areThere(batch);
      const wanted = batch.filter((_, index) => there[index] === false);
      right_files += batch.length - wanted.length;
      for (const [index, { size_bytes }] of batch.entries()) if (there[index] === true) onDone?.(size_bytes);
      for (const file of await bringMany(placer, wanted)) await bringOne(placer, file);
    });
    return { total_bytes, written_files, written_bytes };
  } catch (thrown) {
    await onFailed?.();
    const error = localFileError(endOf(signal, thrown), '', 'used');
    throw isArtifactstoreError(error) ? withInfo(error, { right_files, file_count: files.length }) : error;
  } finally {
    // What went wrong before is not hidden by what is left of it.
    await drafts.remove().catch((error: unknown) => {
      onWarning?.(`"${drafts.path}" is left behind: ${fileReason(error)}; the next pull with ${names.force} removes it`);
    });
  }

  async function bringOne(placer: Placer, file: ManifestFile): Promise<void> {
    signal.throwIfAborted();
    try {
      const body = await registry.download(file, signal, { unchecked: true });
      await placer.place(file, body, (bytes) => onDone?.(bytes));
    } catch (error) {
      throw about(file.relative_path, error);
    }
    written(file);
  }

  /** Answers those that have to be brought one by one. */
  async function bringMany(placer: Placer, wanted: readonly ManifestFile[]): Promise<readonly ManifestFile[]> {
    const { packageId } = options;
    if (wanted.length < 2 || packageId === undefined) return wanted;
    const brought = await registry.downloadMany?.(packageId, wanted, signal);
    if (brought === undefined) return wanted;
    const { placed, error } = await placer.placeMany(
      wanted.map((file, index) => ({ file, offset: brought.offsets[index]! })),
      brought.memory,
    );
    for (const file of wanted.slice(0, placed)) {
      written(file);
      onDone?.(file.size_bytes);
    }
    if (error !== undefined) throw error;
    return [];
  }
}

/** Files that are looked for, and brought, together; a long one is alone. */
function* batchesOf(files: readonly ManifestFile[]): Generator<readonly ManifestFile[], void, undefined> {
  let batch: ManifestFile[] = [];
  let bytes = 0;
  for (const file of files) {
    const isLong = file.size_bytes > smallBytes;
    if (batch.length > 0 && (isLong || batch.length === batchFiles || bytes + file.size_bytes > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    if (isLong) yield [file];
    else {
      batch.push(file);
      bytes += file.size_bytes;
    }
  }
  if (batch.length > 0) yield batch;
}

const smallBytes = 262_144;
/** In memory at once, for each job. */
const batchBytes = 2_097_152;
/** As many as a server takes in one request. */
const batchFiles = 500;

/** What went wrong on the way knows the bytes by their digest, if at all; who pulls knows the file by its path. */
function about(path: string, error: unknown): unknown {
  if (!isArtifactstoreError(error) || error.code === 'cancelled' || error.message.includes(path)) return error;
  const { code, field, info } = error;
  return new ArtifactstoreError(code, `"${path}": ${error.message}`, {
    ...(field === undefined ? {} : { field }),
    ...(info === undefined ? {} : { info }),
    cause: error,
  });
}

import { lstat, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDraftFolder } from '../../client/draft-folder.ts';
import { ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode, fileReason, localFileError } from '../../runtime/file-error.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { connect } from '../connect.ts';
import type { Context } from '../context.ts';
import { withHint } from '../terminal/hint.ts';
import { createProgress } from '../terminal/progress.ts';
import { countFiles, formatBytes } from '../terminal/size.ts';
import { createPlacer } from './place.ts';
import { refuseUnplaceable } from './placeable.ts';
import { makeDraftFolder, removeDeadDrafts } from './pull-drafts.ts';
import { chooseManifestPlace } from './pulled-manifest.ts';
import { sealedManifest } from './sealed-manifest.ts';

export interface PullOptions {
  readonly force?: boolean;
  /** False for `--no-manifest`; absent for the place beside the directory. */
  readonly manifest?: string | false;
  readonly jobs: number;
}

/** Brings a sealed package's files into a directory, each of them checked. */
export async function pullPackage(context: Context, packageId: string, directory: string, options: PullOptions): Promise<void> {
  const { output } = context;
  const root = resolve(context.directory, directory);
  using stop = stopOnSignal();
  const registry = connect(context, { patienceSeconds: 60 });
  try {
    const read = await sealedManifest(registry, packageId);
    const { files } = read.manifest;
    const made = await prepareDirectory(root, directory, options.force === true);
    const { manifestPlace, drafts } = await prepare().catch(async (error: unknown) => {
      await unmake(root, made);
      throw error;
    });
    const totalBytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const progress = await createProgress(output, 'pulling', totalBytes);
    let writtenBytes = 0;
    let writtenFiles = 0;
    let rightFiles = 0;
    try {
      const placer = createPlacer(root, drafts.path);
      await forEachLimited(files, options.jobs, async (file) => {
        stop.signal.throwIfAborted();
        if (await placer.isThere(file)) progress.advance(file.size_bytes);
        else {
          try {
            const body = await registry.download(file, stop.signal);
            await placer.place(file, body, (bytes) => progress.advance(bytes));
          } catch (error) {
            throw about(file.relative_path, error);
          }
          writtenBytes += file.size_bytes;
          writtenFiles += 1;
        }
        rightFiles += 1;
      });
    } catch (error) {
      // Its connections may be the files that are too many, and cleaning up opens some.
      await registry.close();
      throw partial(stop.signal.aborted ? stop.signal.reason : error, directory, rightFiles, files.length);
    } finally {
      progress.stop();
      // What went wrong before is not hidden by what is left of it.
      await drafts.remove().catch((error: unknown) => {
        output.warn(`warning: "${drafts.path}" is left behind: ${fileReason(error)}; the next pull with --force removes it`);
      });
    }
    const manifestFile = await manifestPlace.save();
    if (output.json)
      output.value({
        package_id: packageId,
        manifest_digest: read.digest,
        file_count: files.length,
        total_bytes: totalBytes,
        written_files: writtenFiles,
        written_bytes: writtenBytes,
        manifest_file: manifestFile ?? null,
      });
    else {
      const kept = files.length - writtenFiles;
      output.line(`${output.colors.green('pulled')} ${countFiles(files.length)}, ${formatBytes(totalBytes)}, into ${directory}`);
      if (kept > 0) output.line(`  ${countFiles(kept)} of them were there already`);
      output.line(`  manifest ${read.digest}${manifestFile === undefined ? '' : `, saved as ${manifestFile}`}`);
    }

    async function prepare() {
      await refuseUnplaceable(root, files);
      const manifestPlace = await chooseManifestPlace(context, root, options, read);
      if (options.force === true)
        for (const name of await removeDeadDrafts(root))
          output.note(`note: "${join(directory, name)}" is left there: another pull into this directory may be using it`);
      return { manifestPlace, drafts: await makeDraftFolder(root) };
    }
  } finally {
    await registry.close();
  }
}

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

/** What the directory is by now, and what to do, beside what went wrong. */
function partial(thrown: unknown, directory: string, right: number, all: number): unknown {
  const error = localFileError(thrown, '', 'used');
  if (!isArtifactstoreError(error)) return error;
  const state = `"${directory}" holds ${right.toLocaleString('en')} of ${countFiles(all)} by now, each of them whole`;
  const next = againCodes.has(error.code) ? '; run the same command with --force to bring the rest' : '';
  return withHint(error, `${state}${next}`, { right_files: right, file_count: all });
}

/** Where the same command can bring the rest, once what the message says is mended. */
const againCodes: ReadonlySet<ErrorCode> = new Set([
  'storage_full',
  'local_file_failed',
  'server_unreachable',
  'storage_unavailable',
  'database_unavailable',
  'cancelled',
]);

/** Answers the first of the directories that had to be made. */
async function prepareDirectory(root: string, shown: string, force: boolean): Promise<string | undefined> {
  const found = await stat(root).catch(async (error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw localFileError(error, shown, 'used', { field: 'dir' });
    const link = await lstat(root).catch(() => undefined);
    if (link === undefined) return undefined;
    throw new ArtifactstoreError('invalid_path', `"${shown}" is a symbolic link that leads nowhere.`, {
      field: 'dir',
      info: { hint: 'create the directory that it names, or pull into another one' },
    });
  });
  if (found === undefined)
    return await makeDirectories(root).catch((error: unknown) => {
      throw localFileError(error, shown, 'made', { field: 'dir' });
    });
  if (!found.isDirectory())
    throw new ArtifactstoreError('invalid_path', `"${shown}" is not a directory, and the files of a package go into one.`, {
      field: 'dir',
      info: { hint: 'name a directory; it is made when it is not there' },
    });
  const entries = await readdir(root).catch((error: unknown) => {
    throw localFileError(error, shown, 'read', { field: 'dir' });
  });
  if (entries.length > 0 && !force)
    throw new ArtifactstoreError('path_conflict', `"${shown}" is not empty.`, {
      field: 'dir',
      info: {
        hint: entries.some(isDraftFolder)
          ? 'a pull into it was stopped, or is in progress; --force resumes one that was stopped'
          : 'choose another directory, or --force: wrong files are replaced, others stay',
      },
    });
  return undefined;
}

/**
 * One by one: Node's recursive mkdir says of a read-only file system that something is not there. Answers the first
 * that it made.
 */
async function makeDirectories(path: string): Promise<string> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    const first = await makeDirectories(dirname(path));
    await mkdir(path);
    return first;
  }
}

/** Takes directories away again that were made for nothing; whatever else is in them keeps them. */
async function unmake(root: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  try {
    for (let path = root; path.length >= made.length; path = dirname(path)) await rmdir(path);
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
  }
}

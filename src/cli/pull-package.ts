import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { newDraftFolder } from '../client/draft-folder.ts';
import { forEachLimited } from '../client/limit.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { ManifestFile } from '../kernel/manifest.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { saveManifest } from './manifest-file.ts';
import { createPlacer } from './place.ts';
import { createProgress } from './progress.ts';
import { sealedManifest } from './sealed-manifest.ts';
import { countFiles, formatBytes } from './size.ts';
import { stopOnSignal } from './stop.ts';

export interface PullOptions {
  readonly force?: boolean;
  readonly manifest?: string;
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
    refuseUnplaceable(files);
    await prepareDirectory(root, options.force === true);
    const drafts = join(root, newDraftFolder());
    await mkdir(drafts);
    const totalBytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const progress = await createProgress(output, 'pulling', totalBytes);
    let writtenBytes = 0;
    let writtenFiles = 0;
    try {
      const placer = createPlacer(root, drafts);
      await forEachLimited(files, options.jobs, async (file) => {
        stop.signal.throwIfAborted();
        if (await placer.isThere(file)) return progress.advance(file.size_bytes);
        const body = await registry.download(file, stop.signal);
        await placer.place(file, body, (bytes) => progress.advance(bytes));
        writtenBytes += file.size_bytes;
        writtenFiles += 1;
      });
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      progress.stop();
      await rm(drafts, { recursive: true, force: true });
    }
    if (options.manifest !== undefined) saveManifest(resolve(context.directory, options.manifest), read);
    if (output.json)
      output.value({
        package_id: packageId,
        manifest_digest: read.digest,
        file_count: files.length,
        total_bytes: totalBytes,
        written_files: writtenFiles,
        written_bytes: writtenBytes,
      });
    else {
      const kept = files.length - writtenFiles;
      output.line(`${output.colors.green('pulled')} ${countFiles(files.length)}, ${formatBytes(totalBytes)}, into ${directory}`);
      if (kept > 0) output.line(`  ${countFiles(kept)} of them were there already`);
      output.line(`  manifest ${read.digest}`);
    }
  } finally {
    await registry.close();
  }
}

async function prepareDirectory(directory: string, force: boolean): Promise<void> {
  await mkdir(directory, { recursive: true });
  const entries = await readdir(directory);
  if (entries.length > 0 && !force)
    throw new ArtifactstoreError('path_conflict', `"${directory}" is not empty.`, {
      field: 'dir',
      info: { hint: 'choose another directory, or --force: right files stay, others of the same name are replaced' },
    });
}

/** A package can hold both `a` and `a/b`; a directory can't. Nor can every file system tell `A` from `a`. */
function refuseUnplaceable(files: readonly ManifestFile[]): void {
  const paths = new Set(files.map((file) => file.relative_path));
  const clashes = files.flatMap(({ relative_path }) => parents(relative_path).filter((parent) => paths.has(parent)));
  if (process.platform === 'darwin' || process.platform === 'win32') {
    const folded = Map.groupBy(paths, (path) => path.normalize('NFC').toLowerCase());
    for (const alike of folded.values()) if (alike.length > 1) clashes.push(...alike);
  }
  if (clashes.length > 0)
    throw new ArtifactstoreError(
      'path_conflict',
      `These paths of the package can't stand in one directory: ${[...new Set(clashes)].map((path) => JSON.stringify(path)).join(', ')}.`,
      { info: { hint: 'the files can be downloaded one by one over HTTP' } },
    );
}

function parents(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

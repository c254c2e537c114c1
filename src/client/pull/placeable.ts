import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { isDraftFolder } from '../tree/draft-folder.ts';
import { firstLines } from '../tree/first-lines.ts';

/**
 * Refuses, before anything is fetched, a package that no directory can hold, or not this one: `a` beside `a/b`, names
 * that differ in nothing that the file system sees, names that are too long for it, the name of a pull's own folder.
 */
export async function refuseUnplaceable(root: string, files: readonly ManifestFile[]): Promise<void> {
  const clashes = new Set([...clashing(files), ...(await tooLong(root, files))]);
  if (clashes.size === 0) return;
  throw new ArtifactstoreError(
    'path_conflict',
    `${clashes.size === 1 ? 'This path' : `These ${clashes.size} paths`} of the package can't be put into "${root}":\n${firstLines([...clashes])}`,
    { info: { paths: clashes.size, hint: 'the files can be downloaded one by one over HTTP, under names of your own' } },
  );
}

function clashing(files: readonly ManifestFile[]): readonly string[] {
  const paths = new Set(files.map((file) => file.relative_path));
  const found: string[] = [];
  for (const path of paths) {
    const parents = parentsOf(path);
    for (const parent of parents)
      if (paths.has(parent)) found.push(`${JSON.stringify(parent)} is a file, and a folder of ${JSON.stringify(path)}`);
    const [top = ''] = parents;
    if (isDraftFolder(top)) found.push(`${JSON.stringify(path)} is where a pull keeps unfinished files`);
  }
  if (process.platform === 'darwin' || process.platform === 'win32')
    for (const alike of Map.groupBy(paths, (path) => path.normalize('NFC').toLowerCase()).values())
      if (alike.length > 1) found.push(`${alike.map((path) => JSON.stringify(path)).join(' and ')} are one name here`);
  return found;
}

/** Asks the file system itself, which alone knows; a name of ordinary length needs no question. */
async function tooLong(root: string, files: readonly ManifestFile[]): Promise<readonly string[]> {
  const longSegments = new Map<string, string>();
  const longPaths: string[] = [];
  for (const { relative_path } of files) {
    for (const segment of relative_path.split('/'))
      if (Buffer.byteLength(segment) > ordinaryNameBytes && !longSegments.has(segment)) longSegments.set(segment, relative_path);
    if (Buffer.byteLength(join(root, relative_path)) > ordinaryPathBytes) longPaths.push(relative_path);
  }
  const found: string[] = [];
  const ask = async (name: string, said: string): Promise<void> => {
    const path = join(root, name);
    const error = await lstat(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (errnoCode(error) === 'ENAMETOOLONG') found.push(said);
    else if (error !== undefined && errnoCode(error) !== 'ENOENT' && errnoCode(error) !== 'ENOTDIR')
      throw localFileError(error, path, 'looked at');
  };
  for (const [segment, path] of longSegments)
    await ask(segment, `${JSON.stringify(path)} has a name of ${Buffer.byteLength(segment)} bytes, which is too long for the file system`);
  for (const path of longPaths) await ask(path, `${JSON.stringify(path)} is too long for the file system`);
  return found;
}

/** Encrypting file systems take 143 bytes, most others 255. */
const ordinaryNameBytes = 140;
/** Linux takes 4,095 bytes, others 1,023. */
const ordinaryPathBytes = 1000;

function parentsOf(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

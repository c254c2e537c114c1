import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { errnoCode, fileReason } from '../../runtime/file-error.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { createCheck, isExecutable } from '../tree/file-check.ts';
import { type Refused, surveyTree, type TreeFile } from '../tree/walk.ts';
import { type Finding, found, type Problem } from './finding.ts';

export interface DirectoryCheck {
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Files of the directory that are no content: its own manifest. */
  readonly own: ReadonlySet<string>;
  onDone(file: ManifestFile): void;
  onFinding(finding: Finding): void;
}

/**
 * Holds a directory to a manifest, all of it: whatever is odd about one entry, the rest is checked. No link is
 * followed. Answers the folders that a pull which was killed left behind, and which are not looked into.
 */
export async function checkDirectory(root: string, files: readonly ManifestFile[], check: DirectoryCheck): Promise<readonly string[]> {
  const { jobs, signal, own, onDone, onFinding } = check;
  const survey = surveyTree(root);
  const there = new Map<string, TreeFile>(survey.files.map((file) => [file.relativePath, file]));
  const refused = new Map<string, Refused>(survey.refused.map((entry) => [entry.path.replace(/\/$/, ''), entry]));
  const named = new Set(files.map((file) => file.relative_path));
  // A name that is shown with replaced bytes may look like that of a file which is there too.
  for (const [path, { kind, reason }] of refused)
    if (kind !== 'vanished' && (!named.has(path) || there.has(path)))
      onFinding({ relative_path: path, problem: refusedProblems[kind], detail: reason });
  for (const path of there.keys())
    if (!named.has(path) && !own.has(path))
      onFinding({ relative_path: path, problem: 'unexpected', detail: 'the manifest does not name it' });
  const directories = new Set([...there.keys(), ...survey.emptyDirectories].flatMap(parents));
  await forEachLimited(files, jobs, async (file) => {
    signal.throwIfAborted();
    const present = there.get(file.relative_path);
    const finding =
      present === undefined ? notThere(file, refused, directories.has(file.relative_path)) : await checkFile(file, present, signal);
    if (finding !== undefined) onFinding(finding);
    onDone(file);
  });
  return survey.draftFolders;
}

/**
 * Why a file of the manifest is not among those of the directory: a link or a closed directory on its way is not
 * "missing".
 */
function notThere(file: ManifestFile, refused: ReadonlyMap<string, Refused>, isDirectory: boolean): Finding {
  if (isDirectory) return found(file, 'special', 'is a directory');
  for (const path of [file.relative_path, ...parents(file.relative_path)]) {
    const entry = refused.get(path);
    if (entry === undefined || entry.kind === 'vanished') continue;
    if (path === file.relative_path) return found(file, refusedProblems[entry.kind], entry.reason);
    return found(file, entry.kind === 'unreadable' ? 'unreadable' : 'missing', `"${path}" on its way ${entry.reason}`);
  }
  const closed = refused.get('.');
  return closed === undefined ? found(file, 'missing', 'there is no such file') : found(file, 'unreadable', closed.reason);
}

async function checkFile(file: ManifestFile, { path }: TreeFile, signal: AbortSignal): Promise<Finding | undefined> {
  try {
    // Without waiting: it may have become a pipe since it was listed.
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) return found(file, 'special', 'is not a regular file');
      const check = createCheck(file);
      for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1_048_576, signal }))
        check.update(chunk as Uint8Array);
      const fault = check.fault();
      if (fault !== undefined) return found(file, 'damaged', fault);
      const executable = isExecutable(file);
      if (process.platform === 'win32' || executable === ((stat.mode & 0o111) !== 0)) return undefined;
      return found(file, 'mode', executable ? 'is not executable and should be' : 'is executable and should not be');
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = errnoCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT') return found(file, 'missing', 'vanished while the directory was checked');
    return code === 'ELOOP' ? found(file, 'link', 'is a symbolic link') : found(file, 'unreadable', fileReason(error));
  }
}

const refusedProblems: { readonly [K in Exclude<Refused['kind'], 'vanished'>]: Problem } = {
  link: 'link',
  special: 'special',
  name: 'unexpected',
  unreadable: 'unreadable',
};

/** The directories above a path, the nearest first. */
function parents(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, -1 - index).join('/'));
}

import { closeSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { faultOf, isExecutable } from '../tree/file-check.ts';
import { holdFolder } from './hold-folder.ts';
import { holds } from './holds.ts';

/** A file's place in memory. */
export interface BytesOfFile {
  readonly file: ManifestFile;
  readonly offset: number;
}

/**
 * The calls to the system that put files below a directory, and nowhere else, whatever the manifest says and whatever
 * links stand there. They wait for the disk: a thread of their own makes them.
 */
export interface Placing {
  /** Whether the right bytes stand at each file's place; sets executable bits right. */
  areThere(files: readonly ManifestFile[]): boolean[];
  /** Makes the folders on the way to a file. */
  enter(file: ManifestFile): void;
  /** Gives a draft with the right bytes the file's name. */
  name(file: ManifestFile, draft: string): void;
  /**
   * Checks the bytes of files by their digests, writes them aside, and then gives them their names. `onPlaced` is told
   * of each that has it. Throws at the first that can't have it, when those before it have theirs.
   */
  placeMany(files: readonly BytesOfFile[], memory: ArrayBuffer, onPlaced: (file: ManifestFile) => void): void;
}

/** `drafts` is a directory on the same file system; names in it begin with `prefix`. */
export function createPlacing(root: string, drafts: string, prefix: string): Placing {
  const entered = new Set<string>(['']);
  let count = 0;

  /** Makes each folder on the way, and refuses what is no real folder: a link could lead outside. */
  function enterFolder(folder: string, file: ManifestFile): void {
    if (entered.has(folder)) return;
    enterFolder(folderOf(folder), file);
    requireFolder(folderOf(folder), file);
    makeFolder(join(root, folder));
    entered.add(folder);
  }

  /** Whether it, and each folder on the way, is a real folder. */
  function isFolder(folder: string): boolean {
    for (let end = folder.indexOf('/'); end >= 0; end = folder.indexOf('/', end + 1))
      if (!isDirectory(join(root, folder.slice(0, end)))) return false;
    return folder === '' || isDirectory(join(root, folder));
  }

  /** Folders were looked at when they were made: who can write there may have put a link in the place of one since. */
  function requireFolder(folder: string, file: ManifestFile): void {
    if (!isFolder(folder)) throw replaced(file);
  }

  /**
   * Has `work` give names in a folder, which stays that folder meanwhile, whoever puts a link in its place; `look` is
   * to be called before each. Refuses where it was replaced before or after.
   */
  function inFolder(folder: string, file: ManifestFile, work: (at: string, look: () => void) => void): void {
    requireFolder(folder, file);
    const held = holdFolder(root, folder);
    try {
      if (held === undefined) work(join(root, folder), () => requireFolder(folder, file));
      else {
        const look = (): void => {
          if (!held.isInPlace()) throw replaced(file);
        };
        look();
        work(held.path, () => undefined);
        look();
      }
    } finally {
      held?.release();
    }
  }

  /** A link that stands there is replaced itself, not what it leads to. */
  function rename(file: ManifestFile, draft: string, folder: string): void {
    try {
      renameSync(draft, join(folder, basename(file.relative_path)));
    } catch (cause) {
      if (errnoCode(cause) !== 'EISDIR' && errnoCode(cause) !== 'ENOTEMPTY') throw failed(file, cause);
      throw new ArtifactstoreError('path_conflict', `There is a directory where "${file.relative_path}" belongs.`, {
        field: file.relative_path,
        info: { hint: 'move it elsewhere, or pull into another directory' },
        cause,
      });
    }
  }

  function failed({ relative_path }: ManifestFile, error: unknown, done = 'written'): unknown {
    return localFileError(error, join(root, relative_path), done, { field: relative_path });
  }

  function write(file: ManifestFile, bytes: Uint8Array): string {
    const fault = faultOf(file, bytes);
    if (fault !== undefined) throw wrongBytes(file, fault);
    count += 1;
    const draft = join(drafts, `${prefix}${count}`);
    let descriptor: number | undefined;
    try {
      descriptor = openSync(draft, 'wx', isExecutable(file) ? 0o777 : 0o666);
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      const open = descriptor;
      descriptor = undefined;
      // Some file systems say only here that they are full.
      closeSync(open);
      return draft;
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      rmSync(draft, { force: true });
      throw failed(file, error);
    }
  }

  /** Of files that have one folder: it is opened once for all of them, just before they get their names. */
  function placeInFolder(files: readonly BytesOfFile[], memory: ArrayBuffer, onPlaced: (file: ManifestFile) => void): void {
    const folder = folderOf(files[0]!.file.relative_path);
    enterFolder(folder, files[0]!.file);
    const written: { readonly file: ManifestFile; readonly draft: string }[] = [];
    let named = 0;
    let failure: { readonly error: unknown } | undefined;
    try {
      for (const { file, offset } of files) written.push({ file, draft: write(file, new Uint8Array(memory, offset, file.size_bytes)) });
    } catch (error) {
      failure = { error };
    }
    try {
      if (written.length > 0)
        inFolder(folder, written[0]!.file, (at, look) => {
          for (const { file, draft } of written) {
            look();
            rename(file, draft, at);
            named += 1;
            onPlaced(file);
          }
        });
    } finally {
      for (const { draft } of written.slice(named)) rmSync(draft, { force: true });
    }
    if (failure !== undefined) throw failure.error;
  }

  return {
    areThere(files) {
      const folders = new Map<string, boolean>();
      return files.map((file) => {
        const folder = folderOf(parseRelativePath(file.relative_path));
        try {
          let there = folders.get(folder);
          if (there === undefined) {
            there = isFolder(folder);
            folders.set(folder, there);
          }
          return there && holds(join(root, file.relative_path), file);
        } catch (error) {
          // What can't be read is brought again.
          if (errnoCode(error) === 'EACCES') return false;
          throw failed(file, error, 'read');
        }
      });
    },

    enter: (file) => enterFolder(folderOf(parseRelativePath(file.relative_path)), file),

    name(file, draft) {
      inFolder(folderOf(parseRelativePath(file.relative_path)), file, (at) => rename(file, draft, at));
    },

    placeMany(files, memory, onPlaced) {
      for (const { file } of files) parseRelativePath(file.relative_path);
      for (let start = 0; start < files.length; ) {
        const folder = folderOf(files[start]!.file.relative_path);
        let end = start + 1;
        while (end < files.length && end - start < namedAtOnce && folderOf(files[end]!.file.relative_path) === folder) end += 1;
        placeInFolder(files.slice(start, end), memory, onPlaced);
        start = end;
      }
    },
  };
}

/** So many are named in one folder before others are told. */
const namedAtOnce = 32;

export function wrongBytes({ relative_path }: ManifestFile, fault: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The bytes of "${relative_path}" are wrong: ${fault}.`, { field: relative_path });
}

function replaced({ relative_path }: ManifestFile): ArtifactstoreError {
  return new ArtifactstoreError('path_conflict', `A folder of "${relative_path}" was replaced while the pull was running.`, {
    field: relative_path,
    info: { hint: 'pull into a directory that nobody else writes to' },
  });
}

/** Empty for a file at the top. */
function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw localFileError(error, path, 'made');
    if (!isDirectory(path))
      throw new ArtifactstoreError('path_conflict', `There is something else where the folder "${path}" belongs.`, {
        info: { hint: 'a link is not followed; move it elsewhere, or pull into another directory' },
      });
  }
}

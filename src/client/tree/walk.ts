import { isUtf8 } from 'node:buffer';
import { accessSync, constants, type Dirent, lstatSync, readdirSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { comparePaths, parseRelativePath, type RelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode, fileReason, localFileError } from '../../runtime/file-error.ts';
import { isDraftFolder } from './draft-folder.ts';
import { type FileStatus, fileStatus } from './file-status.ts';
import { firstLines } from './first-lines.ts';

export interface TreeFile {
  readonly relativePath: RelativePath;
  /** Where it is on this machine. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  /** As it was found. */
  readonly status: FileStatus;
}

export interface Tree {
  /** By relative path, bytewise. Hidden and empty files are files. */
  readonly files: readonly TreeFile[];
  /** Directories with nothing in them, which a package can't hold. */
  readonly emptyDirectories: readonly string[];
  /** Folders that a pull which was killed left behind, or one in progress uses: nobody's content. */
  readonly draftFolders: readonly string[];
}

/** Why an entry can't be a file of a package. */
export type RefusedKind = 'link' | 'special' | 'name' | 'unreadable' | 'vanished';

export interface Refused {
  /** As far as it can be shown: bytes that are not UTF-8 are replaced. A directory's path ends with a slash. */
  readonly path: string;
  readonly kind: RefusedKind;
  readonly reason: string;
}

export interface Survey extends Tree {
  /** What a package can't hold, in the order in which it was met. */
  readonly refused: readonly Refused[];
}

/**
 * Everything below a directory. Refuses, before anything is made of it, what a package can't hold: symbolic links,
 * which would have to be followed or broken; sockets, pipes and devices; names that are no legal relative path; files
 * and directories that can't be read. The first ten are named, with what to do; all of them are in `info.refused`.
 */
export function walkTree(root: string): Tree {
  const { refused: odd, ...tree } = surveyTree(root);
  const refused = [...odd, ...tree.files.flatMap(unreadable)];
  if (refused.length === 0) return tree;
  const lines = refused.map(({ path, reason }) => `${JSON.stringify(path)} ${reason}`);
  const count = refused.length === 1 ? 'One entry' : `${refused.length.toLocaleString('en')} entries`;
  throw new ArtifactstoreError('invalid_path', `${count} below "${root}" can't be pushed:\n${firstLines(lines)}`, {
    info: { refused: lines, hint: remediesFor(refused) },
  });
}

/** Asked of the system for every file: modes alone don't tell. */
function unreadable({ path, relativePath }: TreeFile): readonly Refused[] {
  try {
    accessSync(path, constants.R_OK);
    return [];
  } catch (error) {
    return [{ path: relativePath, kind: 'unreadable', reason: `can't be read: ${fileReason(error)}` }];
  }
}

function remediesFor(refused: readonly Refused[]): string {
  const kinds = new Set(refused.map(({ kind }) => kind));
  return [...kinds].map((kind) => remedies[kind]).join('; ');
}

const remedies: Readonly<Record<RefusedKind, string>> = {
  link: 'links: push a copy that `cp -rL` made, which has files in their place, or remove them',
  special: 'pipes, sockets and devices: remove them, or push a directory without them',
  name: 'names: rename them; a path is UTF-8 without backslashes and control characters, of at most 1,024 bytes',
  unreadable: 'not readable: push as their owner, or let this user read them (`chmod`, `chown`)',
  vanished: 'vanished: push when nothing writes to the directory',
};

/** Everything below a directory, and what of it can't be in a package. Only a root that is no directory is an error. */
export function surveyTree(root: string): Survey {
  requireDirectory(root);
  const files: TreeFile[] = [];
  const emptyDirectories: string[] = [];
  const draftFolders: string[] = [];
  const refused: Refused[] = [];
  const refuse = (path: string, kind: RefusedKind, reason: string): void => void refused.push({ path, kind, reason });

  const visit = (directory: string, prefix: string): void => {
    let entries: Dirent<Buffer>[];
    try {
      entries = readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      refuse(prefix === '' ? '.' : prefix, 'unreadable', `can't be read: ${fileReason(error)}`);
      return;
    }
    const start = directory.endsWith(sep) ? directory : `${directory}${sep}`;
    if (entries.length === 0 && prefix !== '') emptyDirectories.push(prefix);
    for (const entry of entries) {
      const shown = `${prefix}${entry.name.toString()}`;
      if (!isUtf8(entry.name)) {
        refuse(shown, 'name', 'has a name that is not UTF-8');
        continue;
      }
      const path = `${start}${entry.name.toString()}`;
      if (entry.isDirectory()) {
        if (isDraftFolder(entry.name.toString())) draftFolders.push(`${shown}/`);
        else visit(path, `${shown}/`);
      } else if (entry.isSymbolicLink()) refuse(shown, 'link', 'is a symbolic link');
      else if (!entry.isFile()) refuse(shown, 'special', `is not a regular file but a ${kindOf(entry)}`);
      else
        try {
          const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
          if (stat === undefined) {
            refuse(shown, 'vanished', 'vanished while the directory was read');
            continue;
          }
          files.push({
            relativePath: parseRelativePath(shown),
            path,
            sizeBytes: Number(stat.size),
            executable: (stat.mode & 0o111n) !== 0n,
            status: fileStatus(stat),
          });
        } catch (error) {
          if (errnoCode(error) !== undefined) refuse(shown, 'unreadable', `can't be read: ${fileReason(error)}`);
          else if (isArtifactstoreError(error)) refuse(shown, 'name', error.message.replace(/^The relative path /, '').replace(/\.$/, ''));
          else throw error;
        }
    }
  };
  visit(root, '');
  files.sort((left, right) => comparePaths(left.relativePath, right.relativePath));
  return { files, emptyDirectories, draftFolders, refused };
}

/** Throws `invalid_path`, saying what is there instead. A link to a directory is one. */
export function requireDirectory(root: string): void {
  let fault: string | undefined;
  try {
    const found = statSync(root, { throwIfNoEntry: false });
    if (found === undefined)
      fault = lstatSync(root, { throwIfNoEntry: false }) === undefined ? ': it is not there' : ': it is a symbolic link that leads nowhere';
    else if (!found.isDirectory()) fault = '';
  } catch (error) {
    throw localFileError(error, root, 'read', { field: 'dir' });
  }
  if (fault !== undefined) throw new ArtifactstoreError('invalid_path', `"${root}" is not a directory${fault}.`, { field: 'dir' });
}

function kindOf(entry: Dirent<Buffer>): string {
  if (entry.isFIFO()) return 'pipe';
  if (entry.isSocket()) return 'socket';
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'device' : 'thing of an unknown kind';
}

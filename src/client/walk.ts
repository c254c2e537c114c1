import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { errnoCode } from '../kernel/file-error.ts';
import { comparePaths, parseRelativePath, type RelativePath } from '../kernel/path.ts';
import { isDraftFolder } from './draft-folder.ts';

export interface TreeFile {
  readonly relativePath: RelativePath;
  /** Where it is on this machine. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMilliseconds: number;
  readonly executable: boolean;
}

export interface Tree {
  /** By relative path, bytewise. Hidden and empty files are files. */
  readonly files: readonly TreeFile[];
  /** Directories with nothing in them, which a package can't hold. */
  readonly emptyDirectories: readonly string[];
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
  /** Folders at the top that a pull which was killed left behind: nobody's content. */
  readonly draftFolders: readonly string[];
}

/**
 * Everything below a directory. Refuses, naming all of them at once, what a package can't hold: symbolic links, which would have to
 * be followed or broken; sockets, pipes and devices; names that are no legal relative path; directories that can't be read.
 */
export function walkTree(root: string): Tree {
  const { refused, files, emptyDirectories } = surveyTree(root);
  if (refused.length > 0) {
    const lines = refused.map(({ path, reason }) => `${JSON.stringify(path)} ${reason}`);
    throw new ArtifactstoreError(
      'invalid_path',
      `${lines.length === 1 ? 'One entry' : `${lines.length} entries`} below "${root}" can't be pushed:\n${lines.map((line) => `  ${line}`).join('\n')}`,
      { info: { refused: lines } },
    );
  }
  return { files, emptyDirectories };
}

/** Everything below a directory, and what of it can't be in a package. Only a root that is no directory is an error. */
export function surveyTree(root: string): Survey {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ArtifactstoreError('invalid_path', `"${root}" is not a directory.`, { field: 'dir' });
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
      refuse(prefix === '' ? '.' : prefix, 'unreadable', `can't be read (${(error as NodeJS.ErrnoException).code})`);
      return;
    }
    if (entries.length === 0 && prefix !== '') emptyDirectories.push(prefix);
    for (const entry of entries) {
      const shown = `${prefix}${entry.name.toString()}`;
      if (!isUtf8(entry.name)) {
        refuse(shown, 'name', 'has a name that is not UTF-8');
        continue;
      }
      const path = join(directory, entry.name.toString());
      if (entry.isDirectory()) {
        if (prefix === '' && isDraftFolder(shown)) draftFolders.push(`${shown}/`);
        else visit(path, `${shown}/`);
      } else if (entry.isSymbolicLink()) refuse(shown, 'link', 'is a symbolic link');
      else if (!entry.isFile()) refuse(shown, 'special', `is not a regular file but a ${kindOf(entry)}`);
      else
        try {
          const stat = lstatSync(path, { throwIfNoEntry: false });
          if (stat === undefined) {
            refuse(shown, 'vanished', 'vanished while the directory was read');
            continue;
          }
          files.push({
            relativePath: parseRelativePath(shown),
            path,
            sizeBytes: stat.size,
            modifiedMilliseconds: stat.mtimeMs,
            executable: (stat.mode & 0o111) !== 0,
          });
        } catch (error) {
          const code = errnoCode(error);
          if (code !== undefined) refuse(shown, 'unreadable', `can't be read (${code})`);
          else if (isArtifactstoreError(error)) refuse(shown, 'name', error.message.replace(/^The relative path /, '').replace(/\.$/, ''));
          else throw error;
        }
    }
  };
  visit(root, '');
  files.sort((left, right) => comparePaths(left.relativePath, right.relativePath));
  return { files, emptyDirectories, draftFolders, refused };
}

function kindOf(entry: Dirent<Buffer>): string {
  if (entry.isFIFO()) return 'pipe';
  if (entry.isSocket()) return 'socket';
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'device' : 'thing of an unknown kind';
}

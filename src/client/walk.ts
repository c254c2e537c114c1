import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { comparePaths, parseRelativePath, type RelativePath } from '../kernel/path.ts';

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

/**
 * Everything below a directory. Refuses, naming all of them at once, what a package can't hold: symbolic links, which would have to
 * be followed or broken; sockets, pipes and devices; names that are no legal relative path; directories that can't be read.
 */
export function walkTree(root: string): Tree {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ArtifactstoreError('invalid_path', `"${root}" is not a directory.`, { field: 'dir' });
  const files: TreeFile[] = [];
  const emptyDirectories: string[] = [];
  const refused: string[] = [];
  const refuse = (name: string, reason: string): void => void refused.push(`${JSON.stringify(name)} ${reason}`);

  const visit = (directory: string, prefix: string): void => {
    let entries: Dirent<Buffer>[];
    try {
      entries = readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      refuse(prefix === '' ? '.' : prefix, `can't be read (${(error as NodeJS.ErrnoException).code})`);
      return;
    }
    if (entries.length === 0 && prefix !== '') emptyDirectories.push(prefix);
    for (const entry of entries) {
      const shown = `${prefix}${entry.name.toString()}`;
      if (!isUtf8(entry.name)) {
        refuse(shown, 'has a name that is not UTF-8');
        continue;
      }
      const path = join(directory, entry.name.toString());
      if (entry.isDirectory()) visit(path, `${shown}/`);
      else if (entry.isSymbolicLink()) refuse(shown, 'is a symbolic link');
      else if (!entry.isFile()) refuse(shown, 'is not a regular file');
      else {
        const stat = lstatSync(path, { throwIfNoEntry: false });
        if (stat === undefined) {
          refuse(shown, 'vanished while the directory was read');
          continue;
        }
        try {
          files.push({
            relativePath: parseRelativePath(shown),
            path,
            sizeBytes: stat.size,
            modifiedMilliseconds: stat.mtimeMs,
            executable: (stat.mode & 0o111) !== 0,
          });
        } catch (error) {
          if (!isArtifactstoreError(error)) throw error;
          refuse(shown, error.message.replace(/^The relative path /, '').replace(/\.$/, ''));
        }
      }
    }
  };
  visit(root, '');

  if (refused.length > 0)
    throw new ArtifactstoreError(
      'invalid_path',
      `${refused.length === 1 ? 'One entry' : `${refused.length} entries`} below "${root}" can't be pushed:\n${refused.map((line) => `  ${line}`).join('\n')}`,
      { info: { refused } },
    );
  files.sort((left, right) => comparePaths(left.relativePath, right.relativePath));
  return { files, emptyDirectories };
}

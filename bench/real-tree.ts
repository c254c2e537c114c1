import { copyFileSync, globSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A tree as it is on a machine: many small files, a few long ones. */
export interface RealTree {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies what Debian has of Python, Perl and the headers of C below `tree`; no links. Throws when that is too little to
 * say anything.
 */
export function copyRealTree(tree: string): RealTree {
  let files = 0;
  let bytes = 0;
  for (const source of sources) copy(source);
  if (files < leastFiles || bytes < leastBytes)
    throw new Error(`${sources.join(', ')} have ${files} files of ${bytes} bytes together, and ${leastFiles} of ${leastBytes} are wanted`);
  return { files, bytes };

  function copy(folder: string): void {
    mkdirSync(join(tree, folder), { recursive: true });
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) copy(path);
      else if (entry.isFile()) {
        copyFileSync(path, join(tree, path));
        files += 1;
        bytes += lstatSync(path).size;
      }
    }
  }
}

const sources: readonly string[] = [
  ...globSync('/usr/lib/python3*'),
  ...globSync('/usr/share/perl*'),
  ...globSync('/usr/lib/*/perl*'),
  '/usr/include',
].sort();
const leastFiles = 14_000;
const leastBytes = 200 * 2 ** 20;

import { canonicalJson } from '../format/json.ts';
import { createHasher, toHex, utf8 } from './digest.ts';
import { comparePaths } from './path.ts';

/** What a file is within its package, wherever the package is kept. */
export interface FileFacts {
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * One digest of everything that a package holds, which a sender can compute before the package is sealed: `sha256:`
 * over the canonical JSON (RFC 8785) of the list of its files, by path, each with these four members. Media types are
 * not in it: the first one that was given for a path stays.
 */
export function filesDigest(files: Iterable<FileFacts>): string {
  const ordered = [...files].sort((left, right) => comparePaths(left.relative_path, right.relative_path));
  const hasher = createFilesHasher();
  for (let start = 0; start < ordered.length; start += filesAtOnce) hasher.add(factsText(ordered.slice(start, start + filesAtOnce)));
  return hasher.digest();
}

/** The same for files that come in stretches, in the order of their paths. */
export function createFilesHasher(): { add(text: string): void; digest(): string } {
  const hasher = createHasher('sha256');
  let before = '[';
  return {
    add(text) {
      if (text === '') return;
      hasher.update(utf8(before + text));
      before = ',';
    },
    digest() {
      hasher.update(utf8(before === '[' ? '[]' : ']'));
      return `sha256:${toHex(hasher.digest())}`;
    },
  };
}

/** What the hasher takes of a stretch of files. */
export function factsText(files: readonly FileFacts[]): string {
  return files.map(canonicalFacts).join(',');
}

const filesAtOnce = 1000;

/** What `canonicalJson` makes of the four members, in less time: a sealing does it for every file while others wait. */
function canonicalFacts({ annotations, digest_sha256, relative_path, size_bytes }: FileFacts): string {
  return `{"annotations":${canonicalJson(annotations)},"digest_sha256":"${digest_sha256}","relative_path":${canonicalJson(relative_path)},"size_bytes":${size_bytes}}`;
}

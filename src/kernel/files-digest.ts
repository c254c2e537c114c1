import { createHasher, toHex, utf8 } from './digest.ts';
import { canonicalJson } from './json.ts';
import { comparePaths } from './path.ts';

/** What a file is within its package, wherever the package is kept. */
export interface FileFacts {
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * One digest of everything that a package holds, which a sender can compute before the package is sealed: `sha256:` over the
 * canonical JSON (RFC 8785) of the list of its files, by path, each with these four members. Media types are not in it: the first
 * one that was given for a path stays.
 */
export function filesDigest(files: Iterable<FileFacts>): string {
  const hasher = createHasher('sha256');
  const ordered = [...files].sort((left, right) => comparePaths(left.relative_path, right.relative_path));
  for (const [index, { annotations, digest_sha256, relative_path, size_bytes }] of ordered.entries())
    hasher.update(utf8(`${index === 0 ? '[' : ','}${canonicalJson({ annotations, digest_sha256, relative_path, size_bytes })}`));
  hasher.update(utf8(ordered.length === 0 ? '[]' : ']'));
  return `sha256:${toHex(hasher.digest())}`;
}

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
 * One digest of everything that a package holds, which a sender can compute before the package is sealed: `sha256:` over the
 * canonical JSON (RFC 8785) of the list of its files, by path, each with these four members. Media types are not in it: the first
 * one that was given for a path stays.
 */
export function filesDigest(files: Iterable<FileFacts>): string {
  const hasher = createHasher('sha256');
  const ordered = [...files].sort((left, right) => comparePaths(left.relative_path, right.relative_path));
  for (let start = 0; start < ordered.length; start += filesAtOnce) {
    const text = ordered
      .slice(start, start + filesAtOnce)
      .map(canonicalFacts)
      .join(',');
    hasher.update(utf8(`${start === 0 ? '[' : ','}${text}`));
  }
  hasher.update(utf8(ordered.length === 0 ? '[]' : ']'));
  return `sha256:${toHex(hasher.digest())}`;
}

const filesAtOnce = 1000;

/** What `canonicalJson` makes of the four members, in less time: a sealing does it for every file while others wait. */
function canonicalFacts({ annotations, digest_sha256, relative_path, size_bytes }: FileFacts): string {
  return `{"annotations":${canonicalJson(annotations)},"digest_sha256":"${digest_sha256}","relative_path":${canonicalJson(relative_path)},"size_bytes":${size_bytes}}`;
}

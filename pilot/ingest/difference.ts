import type { ScannedFile } from './scan.ts';

/** Files by path, as a package or a directory has them. */
export interface Difference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** A file of a package, as its manifest and its record have it. */
export interface KeptFile {
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What became of the package's files in the directory. A file is its bytes and its executable bit. */
export function differenceOf(kept: Iterable<KeptFile>, scanned: readonly ScannedFile[]): Difference {
  const earlier = new Map([...kept].map((file) => [file.relative_path, file]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const file of scanned) {
    const before = earlier.get(file.relativePath);
    earlier.delete(file.relativePath);
    if (before === undefined) added.push(file.relativePath);
    else if (
      `sha256:${before.digest_sha256}` !== file.contentAddress ||
      before.size_bytes !== file.sizeBytes ||
      (before.annotations.mode === 'executable') !== file.executable
    )
      changed.push(file.relativePath);
  }
  return { added, removed: [...earlier.keys()], changed };
}

export function isSame({ added, removed, changed }: Difference): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** `1 added, 2 changed` and a line for each file, up to a screenful of them. */
export function describeDifference(difference: Difference): { readonly summary: string; readonly lines: string } {
  const kinds = [
    ['added', difference.added],
    ['removed', difference.removed],
    ['changed', difference.changed],
  ] as const;
  const all = kinds.flatMap(([kind, paths]) => paths.map((path) => `  ${kind.padEnd(7)}  ${path}`));
  const shown = all.slice(0, shownFiles);
  if (all.length > shown.length) shown.push(`  … and ${all.length - shown.length} more`);
  return {
    summary: kinds
      .filter(([, paths]) => paths.length > 0)
      .map(([kind, paths]) => `${paths.length} ${kind}`)
      .join(', '),
    lines: shown.join('\n'),
  };
}

const shownFiles = 30;

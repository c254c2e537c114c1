import type { FileFacts } from '../../kernel/content/files-digest.ts';
import type { File, Registry } from '../../registry/REGISTRY.ts';
import { firstLines } from './first-lines.ts';
import type { FileContent } from './read-file.ts';

/** Files by path, as a package or a directory has them. */
export interface Difference {
  /** In the directory only. */
  readonly added: readonly string[];
  /** In the package only. */
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Those of `changed` that have the same bytes: only who may run them is another. */
  readonly executable_bit: readonly string[];
}

/** Everything that a package holds, sealed or not. */
export async function packageFiles(registry: Pick<Registry, 'files'>, packageId: string): Promise<readonly File[]> {
  const files: File[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await registry.files.list(packageId, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    files.push(...page.items);
    cursor = page.next_cursor;
  }
  return files;
}

/**
 * What became of the package's files in the directory, or undefined when nothing did. A file is its bytes and its
 * executable bit.
 */
export function differenceOf(kept: Iterable<FileFacts>, present: Iterable<FileContent>): Difference | undefined {
  const earlier = new Map([...kept].map((file) => [file.relative_path, file]));
  const added: string[] = [];
  const changed: string[] = [];
  const executableBit: string[] = [];
  for (const file of present) {
    const before = earlier.get(file.relativePath);
    earlier.delete(file.relativePath);
    if (before === undefined) added.push(file.relativePath);
    else if (!sameBytes(before, file)) changed.push(file.relativePath);
    else if ((before.annotations.mode === 'executable') !== file.executable) {
      changed.push(file.relativePath);
      executableBit.push(file.relativePath);
    }
  }
  if (added.length + changed.length + earlier.size === 0) return undefined;
  return { added, removed: [...earlier.keys()], changed, executable_bit: executableBit };
}

function sameBytes(kept: FileFacts, present: FileContent): boolean {
  return `sha256:${kept.digest_sha256}` === present.contentAddress && kept.size_bytes === present.sizeBytes;
}

/** `1 added, 2 changed` and a line for each of the first ten files. */
export function describeDifference(difference: Difference): { readonly summary: string; readonly lines: string } {
  const kinds = [
    ['added', difference.added],
    ['removed', difference.removed],
    ['changed', difference.changed],
  ] as const;
  const sameBytes = new Set(difference.executable_bit);
  const all = kinds.flatMap(([kind, paths]) =>
    paths.map((path) => `${kind.padEnd(7)}  ${path}${kind === 'changed' && sameBytes.has(path) ? ' (its executable bit)' : ''}`),
  );
  return {
    summary: kinds
      .filter(([, paths]) => paths.length > 0)
      .map(([kind, paths]) => `${paths.length} ${kind}`)
      .join(', '),
    lines: firstLines(all),
  };
}

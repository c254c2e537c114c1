import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Package } from '../../registry/REGISTRY.ts';

/**
 * Follows a list page by page, as long as it leads further: one that has no end, that begins with what another page
 * began with, that says where to continue as before, or has nothing in page after page, is not a registry's.
 */
export interface PageWatch {
  /** Throws `unexpected_answer`. */
  saw(page: { readonly items: readonly Pick<Package, 'id'>[]; readonly next_cursor: string | null }): void;
}

export function watchPages(mostPages: number = usualMostPages): PageWatch {
  const [cursors, firsts] = [new Set<string>(), new Set<string>()];
  let [pages, empty] = [0, 0];
  return {
    saw({ items, next_cursor: cursor }) {
      pages += 1;
      const first = items[0]?.id;
      empty = first === undefined ? empty + 1 : 0;
      if (first !== undefined && firsts.has(first)) throw strange('leads back to a page of itself');
      if (first !== undefined) firsts.add(first);
      if (cursor === null) return;
      if (cursor.length > longestCursor) throw strange(`says where to continue in ${cursor.length} characters`);
      if (cursors.has(cursor)) throw strange('leads back to a page of itself');
      cursors.add(cursor);
      if (empty >= mostEmptyPages) throw strange(`has nothing in ${empty} pages, and says that there is more`);
      if (pages >= mostPages) throw strange(`has not ended after ${pages} pages`);
    },
  };
}

/** Of 500 packages each. */
const usualMostPages = 100_000;
const mostEmptyPages = 100;
const longestCursor = 8192;

/**
 * How many bytes the manifest of a package of that many files can have: 64 annotations of each, and paths, metadata and
 * receipts. None has more than 128 MiB.
 */
export function mostManifestBytes({ file_count }: Pick<Package, 'file_count'>): number {
  const files = Number.isSafeInteger(file_count) && file_count >= 0 ? file_count : 0;
  return Math.min(150_994_944, 16_777_216 + files * 131_072);
}

/** Every value of a manifest takes memory, however few bytes it has: a hundred for each file, and the metadata. */
export const mostManifestValues = 12_000_000;

/** Throws `unexpected_answer` for objects and arrays further within each other than any registry takes them. */
export function refuseDepth<T>(value: T): T {
  if (isDeeper(value, deepest)) throw new ArtifactstoreError('unexpected_answer', `Objects and arrays came more than ${deepest} deep.`);
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

const deepest = 128;

function strange(what: string): ArtifactstoreError {
  return new ArtifactstoreError('unexpected_answer', `The list of packages ${what}.`);
}

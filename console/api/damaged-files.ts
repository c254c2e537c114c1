import { isDamaged } from '../damaged.ts';
import { callJson, segments } from './call.ts';
import type { File, Page } from './records.ts';

const pageFiles = 1_000;
const enough = 3;

/** Paths of files of a package whose bytes are known to be damaged or missing: the first three. */
export async function damagedPaths(packageId: string, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: pageFiles, cursor };
    const page: Page<File> = await callJson<Page<File>>(`packages/${segments(packageId)}/files`, { query, signal });
    for (const file of page.items) if (isDamaged(file)) found.push(file.relative_path);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && found.length < enough);
  return found.slice(0, enough);
}

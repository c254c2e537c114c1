import type { Kysely } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { beyond } from '../input.ts';
import { limits } from '../limits.ts';
import type { Package } from '../REGISTRY.ts';
import { type FileRow, textSize } from './files.ts';

/**
 * Those of the paths that are there already, whose records an answer shows. Their annotations came with other requests,
 * so nothing about this one says how long they are: that is asked before any is loaded.
 */
export async function readRepeated(
  database: Kysely<Schema>,
  { id, file_count }: Pick<Package, 'id' | 'file_count'>,
  items: readonly { readonly relative_path: string }[],
): Promise<FileRow[]> {
  if (file_count === 0) return [];
  let bytes = 0;
  const repeated: string[] = [];
  for (let start = 0; start < items.length; start += 500) {
    const paths = items.slice(start, start + 500).map(({ relative_path }) => relative_path);
    const found = await database
      .selectFrom('artifact_files')
      .select(['relative_path', textSize])
      .where('package_id', '=', id)
      .where('relative_path', 'in', paths)
      .execute();
    for (const { relative_path, size } of found) {
      bytes += Number(size);
      repeated.push(relative_path);
    }
  }
  if (bytes > limits.repeatedBytes)
    throw new ArtifactstoreError(
      'too_many_files',
      `The package has files at these paths already, with ${bytes} bytes of annotations; one answer shows at most ${limits.repeatedBytes}.`,
      { field: 'relative_path', info: { ...beyond('repeated_bytes').info, hint: 'name fewer files at once' } },
    );
  const rows: FileRow[] = [];
  for (let start = 0; start < repeated.length; start += 500)
    rows.push(
      ...(await database
        .selectFrom('artifact_files')
        .selectAll()
        .where('package_id', '=', id)
        .where('relative_path', 'in', repeated.slice(start, start + 500))
        .execute()),
    );
  return rows;
}

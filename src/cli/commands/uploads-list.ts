import type { Upload, UploadQuery } from '../../registry/REGISTRY.ts';
import { blameOption } from '../blame-option.ts';
import type { Definition } from '../definition.ts';
import { pageLimit } from '../terminal/numbers.ts';
import { formatBytes } from '../terminal/size.ts';

export const uploadsList: Definition = (command, context) => {
  command
    .option('--limit <n>', 'at most this many, up to 1000', pageLimit, 100)
    .option('--cursor <cursor>', 'continue after an earlier page')
    .addHelpText(
      'after',
      `
Works on the database directly, beside running servers or without any. Lists the
uploads of everybody that are open, in the order in which they were begun.

Examples:
  $ artifactstore uploads list
  $ artifactstore uploads list --json | jq '[.items[].offset_bytes] | add'`,
    )
    .action(async (options: UploadQuery) => {
      const { config, output, openStore } = context();
      await using store = await openStore(config, { parts: 'database', readOnly: true });
      const page = await blameOption(store.operator.listUploads(options), { cursor: '--cursor', limit: '--limit' });
      if (output.json) return output.value(page);
      if (page.items.length === 0) return output.note('no open uploads');
      await output.table(['UPLOAD', 'OF', 'BEGUN', 'LAST BYTE', 'EXPIRES', 'THERE', 'FILE'], page.items.map(row));
      if (page.next_cursor !== null) output.note(`there are more: --cursor ${page.next_cursor}`);
    });
};

function row({ id, created_by, created_at, updated_at, expires_at, offset_bytes, size_bytes, package_id, relative_path }: Upload) {
  const there = size_bytes === null ? formatBytes(offset_bytes) : `${formatBytes(offset_bytes)} of ${formatBytes(size_bytes)}`;
  const file = package_id === null || relative_path === null ? '-' : `${package_id} ${relative_path}`;
  return [id, created_by, created_at, updated_at, expires_at, there, file];
}

import type { ExpiringQuery } from '../../registry/REGISTRY.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import { pageLimit, time } from '../terminal/numbers.ts';
import { formatBytes } from '../terminal/size.ts';

export const retentionExpiring: Definition = (command, context) => {
  command
    .option('--until <time>', 'that expire at this time or before it (RFC 3339)', time)
    .option('--limit <n>', 'at most this many, up to 1000', pageLimit, 100)
    .option('--cursor <cursor>', 'continue after an earlier page')
    .addHelpText(
      'after',
      `
Lists sealed packages that nobody holds, those that expire first being the
first. Not those that a sweep has marked: the next collection takes them.

Examples:
  $ artifactstore retention expiring --limit 20
  $ artifactstore retention expiring --until 2026-12-31T00:00:00Z --json | jq -r '.items[].id'`,
    )
    .action(async (options: ExpiringQuery) => {
      const given = context();
      const { output } = given;
      await using registry = connect(given);
      const page = await blameOption(registry.retention.expiring(options), { until: '--until', cursor: '--cursor', limit: '--limit' });
      if (output.json) return output.value(page);
      if (page.items.length === 0) return output.note('no packages');
      await output.table(
        ['ID', 'NAME', 'PRODUCER', 'CLASS', 'SIZE', 'EXPIRES'],
        page.items.map((item) => [
          item.id,
          item.name,
          item.producer,
          item.retention_class,
          formatBytes(item.total_bytes),
          item.expires_at ?? 'never',
        ]),
      );
      if (page.next_cursor !== null) output.note(`there are more: --cursor ${page.next_cursor}`);
    });
};

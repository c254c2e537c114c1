import type { PageQuery, ProducerRecord } from '../../registry/REGISTRY.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import { pageLimit } from '../terminal/numbers.ts';
import { count, formatBytes } from '../terminal/size.ts';

export const producersList: Definition = (command, context) => {
  command
    .option('--limit <n>', 'at most this many, up to 1000', pageLimit, 100)
    .option('--cursor <cursor>', 'continue after an earlier page')
    .addHelpText(
      'after',
      `
Lists the producers whose packages you may read, with what they have: packages
that are neither collected nor abandoned, their files and logical bytes. USED is
how much of a quota is taken; of two quotas, the fuller one.

Examples:
  $ artifactstore producers list
  $ artifactstore producers list --json | jq -r '.items[] | select(.bytes > 0.9 * .maximum_bytes?) | .producer'`,
    )
    .action(async (options: PageQuery) => {
      const given = context();
      const { output } = given;
      await using registry = connect(given);
      const page = await blameOption(registry.producers.list(options), { cursor: '--cursor', limit: '--limit' });
      if (output.json) return output.value(page);
      if (page.items.length === 0) return output.note('no producers');
      await output.table(['PRODUCER', 'PACKAGES', 'FILES', 'LOGICAL', 'USED'], page.items.map(row));
      if (page.next_cursor !== null) output.note(`there are more: --cursor ${page.next_cursor}`);
    });
};

function row(item: ProducerRecord): readonly string[] {
  const { producer, packages, files, bytes, maximum_packages, maximum_bytes } = item;
  const shares = [shareOf(packages, maximum_packages), shareOf(bytes, maximum_bytes)].filter((share) => share !== undefined);
  return [
    producer,
    ofMaximum(packages, maximum_packages, count),
    count(files),
    ofMaximum(bytes, maximum_bytes, formatBytes),
    shares.length === 0 ? '-' : percent(Math.max(...shares)),
  ];
}

function ofMaximum(value: number, maximum: number | null, format: (value: number) => string): string {
  return maximum === null ? format(value) : `${format(value)} of ${format(maximum)}`;
}

function shareOf(value: number, maximum: number | null): number | undefined {
  if (maximum === null) return undefined;
  return maximum === 0 ? 1 : value / maximum;
}

/** 100 only when nothing more fits. */
function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

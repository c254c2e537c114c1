import type { PackageStatus } from '../kernel/view.ts';
import type { Package, PackageQuery } from '../registry/REGISTRY.ts';
import type { Definition } from './definition.ts';

interface ListOptions {
  readonly producer?: string;
  readonly subject?: string;
  readonly retentionClass?: string;
  readonly status?: PackageStatus;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly cursor?: string;
}

export const packagesList: Definition = (command, context) => {
  command
    .option('--producer <producer>', 'of this producer only')
    .option('--subject <subject>', 'about this subject only')
    .option('--retention-class <slug>', 'of this retention class only')
    .option('--status <status>', 'created, finalized, abandoned or garbage_collected')
    .option('--metadata <key=value>', 'with this top-level metadata; can be given again', addTerm)
    .option('--limit <n>', 'at most so many, up to 1000', Number, 100)
    .option('--cursor <cursor>', 'go on after an earlier page')
    .addHelpText(
      'after',
      `
Examples:
  $ artifactstore packages list --producer ci --limit 20
  $ artifactstore packages list --metadata branch=main --json | jq -r '.items[].id'`,
    )
    .action(async (options: ListOptions) => {
      const [{ connect }, { formatBytes }] = await Promise.all([import('./connect.ts'), import('./size.ts')]);
      const given = context();
      const { output } = given;
      const registry = connect(given);
      try {
        const page = await registry.packages.list(query(options));
        if (output.json) return output.value(page);
        if (page.items.length === 0) return output.note('no packages');
        await output.table(
          ['ID', 'NAME', 'PRODUCER', 'SUBJECT', 'STATUS', 'FILES', 'SIZE', 'CREATED'],
          page.items.map((item) => row(item, formatBytes)),
        );
        if (page.next_cursor !== null) output.note(`there are more: --cursor ${page.next_cursor}`);
      } finally {
        await registry.close();
      }
    });
};

function row(item: Package, formatBytes: (bytes: number) => string): readonly string[] {
  const { id, name, producer, subject, status, file_count, total_bytes, created_at } = item;
  return [id, name, producer, subject, status, String(file_count), formatBytes(total_bytes), created_at];
}

function query(options: ListOptions): PackageQuery {
  const { producer, subject, retentionClass, status, metadata, limit, cursor } = options;
  return {
    limit,
    ...(producer === undefined ? {} : { producer }),
    ...(subject === undefined ? {} : { subject }),
    ...(retentionClass === undefined ? {} : { retention_class: retentionClass }),
    ...(status === undefined ? {} : { status }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function addTerm(text: string, terms: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  return equals < 1 ? { ...terms, [text]: '' } : { ...terms, [text.slice(0, equals)]: text.slice(equals + 1) };
}

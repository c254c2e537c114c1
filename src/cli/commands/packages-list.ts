import { InvalidArgumentError } from 'commander';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { PackageStatus } from '../../kernel/views/view.ts';
import type { Package, PackageQuery } from '../../registry/REGISTRY.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import { withHint } from '../terminal/hint.ts';
import { pageLimit, time } from '../terminal/numbers.ts';
import { formatBytes } from '../terminal/size.ts';

interface ListOptions {
  readonly name?: string;
  readonly producer?: string;
  readonly subject?: string;
  readonly retentionClass?: string;
  readonly status?: PackageStatus;
  readonly manifestDigest?: string;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
  readonly finalizedAfter?: string;
  readonly finalizedBefore?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly cursor?: string;
}

export const packagesList: Definition = (command, context) => {
  command
    .option('--name <name>', 'with this name only')
    .option('--producer <producer>', 'of this producer only')
    .option('--subject <subject>', 'about this subject only')
    .option('--retention-class <slug>', 'of this retention class only')
    .option('--status <status>', 'created, finalized, abandoned or garbage_collected')
    .option('--manifest-digest <digest>', 'whose manifest has this digest, blake3:<hex>')
    .option('--created-after <time>', 'created at this time or later (RFC 3339)', time)
    .option('--created-before <time>', 'created before this time', time)
    .option('--finalized-after <time>', 'sealed at this time or later', time)
    .option('--finalized-before <time>', 'sealed before this time', time)
    .option('--metadata <key=value>', 'with this top-level metadata; can be given again', addTerm)
    .option('--limit <n>', 'at most this many, up to 1000', pageLimit, 100)
    .option('--cursor <cursor>', 'continue after an earlier page')
    .addHelpText(
      'after',
      `
--metadata build=43 finds the number 43 and the text "43", build='"43"' the text
only. Keys inside an object are not searched; a top key that has a dot is
written in quotes: '"a.b"=x'.

Examples:
  $ artifactstore packages list --producer ci --limit 20
  $ artifactstore packages list --finalized-after 2026-01-01T00:00:00Z --finalized-before 2026-02-01T00:00:00Z
  $ artifactstore packages list --metadata branch=main --json | jq -r '.items[].id'`,
    )
    .action(async (options: ListOptions) => {
      const given = context();
      const { output } = given;
      await using registry = connect(given);
      const page = await blameOption(registry.packages.list(query(options)).catch(suggestKey(options)), {
        'metadata.': '--metadata',
        status: '--status',
        manifest_digest: '--manifest-digest',
        cursor: '--cursor',
        limit: '--limit',
      });
      if (output.json) return output.value(page);
      if (page.items.length === 0) return output.note('no packages');
      await output.table(
        ['ID', 'NAME', 'PRODUCER', 'SUBJECT', 'STATUS', 'FILES', 'SIZE', 'CREATED'],
        page.items.map((item) => row(item, formatBytes)),
      );
      if (page.items.some(({ hold_count }) => hold_count === undefined))
        output.note('whether a hold keeps them is not known: this server is of an earlier version, see retention show');
      if (page.next_cursor !== null) output.note(`there are more: --cursor ${page.next_cursor}`);
    });
};

function row(item: Package, formatBytes: (bytes: number) => string): readonly string[] {
  const { id, name, producer, subject, status, file_count, total_bytes, created_at, hold_count } = item;
  return [
    id,
    name,
    producer,
    subject,
    hold_count > 0 ? `${status}, held` : status,
    String(file_count),
    formatBytes(total_bytes),
    created_at,
  ];
}

function query(options: ListOptions): PackageQuery {
  const { retentionClass, manifestDigest, createdAfter, createdBefore, finalizedAfter, finalizedBefore, ...same } = options;
  return {
    ...same,
    ...(retentionClass === undefined ? {} : { retention_class: retentionClass }),
    ...(manifestDigest === undefined ? {} : { manifest_digest: manifestDigest }),
    ...(createdAfter === undefined ? {} : { created_after: createdAfter }),
    ...(createdBefore === undefined ? {} : { created_before: createdBefore }),
    ...(finalizedAfter === undefined ? {} : { finalized_after: finalizedAfter }),
    ...(finalizedBefore === undefined ? {} : { finalized_before: finalizedBefore }),
  };
}

function addTerm(text: string, terms: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  // A key in quotes may hold an equals sign.
  const match = /^("(?:[^"\\]|\\.)*"|[^=]+)=(.*)$/s.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be key=value, such as branch=main.');
  const [, key, value] = match as unknown as readonly [string, string, string];
  if (Object.hasOwn(terms, key)) throw new InvalidArgumentError(`The key "${key}" is given twice.`);
  return { ...terms, [key]: value };
}

/** The key that the registry proposes, with its value, as it is typed. */
function suggestKey({ metadata = {} }: ListOptions): (error: unknown) => never {
  return (error) => {
    const key = isArtifactstoreError(error) ? error.info?.key : undefined;
    const name = Object.keys(metadata).find((each) => JSON.stringify(each) === key);
    if (!isArtifactstoreError(error) || name === undefined) throw error;
    throw withHint(error, `--metadata ${shellWord(`${JSON.stringify(name)}=${metadata[name]}`)}`, {});
  };
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

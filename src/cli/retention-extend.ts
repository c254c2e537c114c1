import { Option } from 'commander';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseId } from '../kernel/id.ts';
import { formatTimestamp, parseTimestamp, readTimestamp } from '../kernel/time.ts';
import type { Registry } from '../registry/REGISTRY.ts';
import type { Definition } from './definition.ts';
import { duration } from './numbers.ts';

interface ExtendOptions {
  readonly until?: string;
  /** Milliseconds. */
  readonly by?: number;
  readonly reason: string;
}

export const retentionExtend: Definition = (command, context) => {
  command
    .argument('<package_id>', 'the package')
    .addOption(new Option('--until <time>', 'keep it until this time (RFC 3339), or "never" to let it never expire').conflicts('by'))
    .addOption(
      new Option('--by <duration>', 'keep it so much longer than now decided, such as 30d (w, d, h, m, s)')
        .argParser(duration)
        .conflicts('until'),
    )
    .requiredOption('--reason <reason>', 'why; it stays in the log')
    .addHelpText(
      'after',
      `
Retention is only ever extended: the new expiry must be later than now and than the present one. With --by it is that much
later than the present expiry, or than now when that is over.

Examples:
  $ artifactstore retention extend 0198c0de-5a1e-7000-8000-000000000001 --by 30d --reason "audit of March"
  $ artifactstore retention extend 0198c0de-5a1e-7000-8000-000000000001 --until never --reason "reference run"`,
    )
    .action(async (packageId: string, { until, by, reason }: ExtendOptions) => {
      parseId(packageId, 'package_id');
      if (until === undefined && by === undefined) command.error("error: one of '--until <time>' and '--by <duration>' is needed");
      const { connect } = await import('./connect.ts');
      const given = context();
      const { output } = given;
      const fixed = until === undefined ? undefined : readUntil(until);
      const registry = connect(given);
      try {
        const new_expires_at = fixed === undefined ? await laterBy(registry, packageId, by!) : fixed;
        const record = await registry.retention.extend(packageId, { new_expires_at, reason });
        if (output.json) output.value(record);
        else output.line(`${output.colors.green('extended')} package ${packageId}: expires ${record.expires_at ?? 'never'}`);
      } finally {
        await registry.close();
      }
    });
};

function readUntil(text: string): string | null {
  return text === 'never' ? null : readTimestamp(text, '--until');
}

async function laterBy(registry: Registry, packageId: string, milliseconds: number): Promise<string | null> {
  const { expires_at } = await registry.retention.show(packageId);
  // What never expires can't be extended; the registry says so, and why.
  if (expires_at === null) return null;
  const from = Math.max(parseTimestamp(expires_at), Date.now());
  if (from + milliseconds > latest)
    throw new ArtifactstoreError('invalid_value', 'That is beyond the year 9999; say --until never.', { field: '--by' });
  return formatTimestamp(from + milliseconds);
}

const latest = Date.parse('9999-12-31T23:59:59.999Z');

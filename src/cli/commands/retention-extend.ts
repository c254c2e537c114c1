import { Option } from 'commander';
import { parseId } from '../../kernel/id.ts';
import { readTimestamp } from '../../kernel/time.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import { duration } from '../terminal/numbers.ts';

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
      new Option('--by <duration>', 'keep it this much longer, such as 30d (w, d, h, m, s)').argParser(duration).conflicts('until'),
    )
    .requiredOption('--reason <reason>', 'why; it stays in the log')
    .addHelpText(
      'after',
      `
Retention is only ever extended: the new expiry must be later than now and than
the present one. With --by it is that much later than the present expiry, or
than now if that has passed, by the server's clock.

Examples:
  $ artifactstore retention extend 0198c0de-5a1e-7000-8000-000000000001 --by 30d --reason "audit of March"
  $ artifactstore retention extend 0198c0de-5a1e-7000-8000-000000000001 --until never --reason "reference run"`,
    )
    .action(async (packageId: string, { until, by, reason }: ExtendOptions) => {
      parseId(packageId, 'package_id');
      if (until === undefined && by === undefined) command.error("error: one of '--until <time>' and '--by <duration>' is needed");
      const given = context();
      const { output } = given;
      const fixed = until === undefined ? undefined : readUntil(until);
      await using registry = connect(given);
      // The server counts a duration: the clock here may be wrong.
      const extension = fixed === undefined ? { extend_by_seconds: by! / 1000 } : { new_expires_at: fixed };
      const record = await blameOption(registry.retention.extend(packageId, { ...extension, reason }), {
        '/reason': '--reason',
        '/new_expires_at': '--until',
        '/extend_by_seconds': '--by',
      });
      if (output.json) output.value(record);
      else output.line(`${output.colors.green('extended')} package ${packageId}: expires ${record.expires_at ?? 'never'}`);
    });
};

function readUntil(text: string): string | null {
  return text === 'never' ? null : readTimestamp(text, '--until');
}

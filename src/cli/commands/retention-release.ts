import { parseId } from '../../kernel/id.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';

export const retentionRelease: Definition = (command, context) => {
  command
    .argument('<package_id>', 'the package')
    .argument('<hold_id>', 'the hold')
    .option('--reason <reason>', 'why; it stays in the log')
    .addHelpText(
      'after',
      `
A hold is released once. If the package has expired meanwhile, the first
collection after the next sweep takes it.

Example:
  $ artifactstore retention release 0198c0de-5a1e-7000-8000-000000000001 0198c0df-0000-7000-8000-000000000002`,
    )
    .action(async (packageId: string, holdId: string, { reason }: { readonly reason?: string }) => {
      parseId(packageId, 'package_id');
      parseId(holdId, 'hold_id');
      const given = context();
      const { output } = given;
      await using registry = connect(given);
      const hold = await blameOption(registry.retention.release(packageId, holdId, reason === undefined ? {} : { reason }), {
        '/reason': '--reason',
        reason: '--reason',
      });
      if (output.json) output.value(hold);
      else output.line(`${output.colors.green('released')} hold ${hold.id} of package ${packageId}`);
    });
};

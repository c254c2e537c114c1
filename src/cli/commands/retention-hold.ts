import { parseId } from '../../kernel/id.ts';
import { blameOption } from '../blame-option.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';

export const retentionHold: Definition = (command, context) => {
  command
    .argument('<package_id>', 'the package')
    .requiredOption('--reason <reason>', 'why; it stays in the log')
    .addHelpText(
      'after',
      `
A package can have several holds; it is collected only when all of them are
released. Prints the hold's id, which releases it.

Example:
  $ artifactstore retention hold 0198c0de-5a1e-7000-8000-000000000001 --reason "incident 12"`,
    )
    .action(async (packageId: string, { reason }: { readonly reason: string }) => {
      parseId(packageId, 'package_id');
      const given = context();
      const { output } = given;
      await using registry = connect(given);
      const hold = await blameOption(registry.retention.hold(packageId, { reason }), { '/reason': '--reason' });
      if (output.json) return output.value(hold);
      output.line(hold.id);
      output.note(`held; to release it: artifactstore retention release ${packageId} ${hold.id}`);
    });
};

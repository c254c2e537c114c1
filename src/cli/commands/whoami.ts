import type { Grant, WhoAmI } from '../../kernel/access.ts';
import { connect } from '../connect.ts';
import type { Definition } from '../definition.ts';
import type { Output } from '../terminal/output.ts';

export const whoami: Definition = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Asks the server whom it takes you for, by what token, until when, and what you
may do. What you may not read does not exist for you.

Examples:
  $ artifactstore whoami
  $ artifactstore whoami --json | jq .grants`,
    )
    .action(async () => {
      const given = context();
      await using registry = connect(given);
      const you = await registry.whoami();
      if (given.output.json) given.output.value(you);
      else await show(given.output, you);
    });
};

async function show(output: Output, { actor, by, expires_at, grants }: WhoAmI): Promise<void> {
  output.line(`${output.colors.bold(actor)}, ${by ?? 'without a token'}${expires_at === null ? '' : `, until ${expires_at}`}`);
  if (grants.length === 0) return output.line('may do nothing');
  await output.table(
    ['ROLE', 'PRODUCERS'],
    grants.map((grant) => [grant.role, producersOf(grant)]),
  );
}

/** A name that looks like a pattern is shown as one that is none. */
function producersOf({ producers }: Grant): string {
  return producers
    .map((each) => ('glob' in each ? each.glob : /[*?,]/.test(each.exact) ? JSON.stringify(each.exact) : each.exact))
    .join(', ');
}

import { checkSecrets } from '../../secrets/check/check.ts';
import type { SecretsReport } from '../../secrets/check/report.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { exitCode } from '../exit.ts';
import { type CatalogOptions, withCatalog } from '../secrets.ts';
import { counted } from '../terminal/size.ts';

export const secretsCheck: Definition = (command, context) => {
  command
    .requiredOption('--catalog <file...>', 'what secrets there are, where each comes from and who reads it')
    .option('--consumers <file...>', 'jobs, templates or settings: only what they refer to is looked at')
    .option('--store <store>', 'where the secrets are (ARTIFACTSTORE_SECRETS)')
    .addHelpText(
      'after',
      `
Says of every secret that is missing, empty, a placeholder, malformed, readable
by others, forbidden, unreachable, undeclared or declared twice what to do, all
at once. Shows no value, and writes nothing. A store is env, file:/directory or
vault:https://host:8200/MOUNT/PATH, also for OpenBao.

Ends with exit code 1 when anything is wrong.

Examples:
  $ artifactstore secrets check --catalog secrets.json --store file:/run/secrets
  $ artifactstore secrets check --catalog secrets.json --consumers cosmo.nomad.hcl`,
    )
    .action(async (options: CatalogOptions) => {
      const report = await withCatalog(context(), options, checkSecrets);
      await show(context(), report);
      if (!report.ok) context().exitWith(exitCode.failed);
    });
};

async function show({ output }: Context, report: SecretsReport): Promise<void> {
  if (output.json) return output.value(report);
  const { findings, checked, inactive, store, generatable } = report;
  for (const { secret, kind, problem, remedy } of findings) {
    output.line(`${output.colors.red(kind.replaceAll('_', ' '))} ${output.colors.bold(secret)} ${problem}`);
    output.line(`  ${remedy}`);
  }
  if (report.ok) output.line(`${output.colors.green('right')} ${counted(checked, 'secret')} in ${store}`);
  if (inactive.length > 0) output.note(`not looked at, since no consumer refers to them: ${inactive.join(', ')}`);
  if (generatable.length > 0) output.note(`\`artifactstore secrets generate\` makes ${generatable.join(', ')}`);
}

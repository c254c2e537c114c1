import { randomBytes } from 'node:crypto';
import { type GeneratedReport, generateSecrets } from '../../secrets/check/generate.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { type CatalogOptions, withCatalog } from '../secrets.ts';
import { counted } from '../terminal/size.ts';

interface GenerateOptions extends CatalogOptions {
  readonly dryRun?: boolean;
}

export const secretsGenerate: Definition = (command, context) => {
  command
    .requiredOption('--catalog <file...>', 'what secrets there are, where each comes from and who reads it')
    .option('--consumers <file...>', 'jobs, templates or settings: only what they refer to is made')
    .option('--store <store>', 'where the secrets are (ARTIFACTSTORE_SECRETS)')
    .option('--create', 'begin a store in a directory that is empty')
    .option('--dry-run', 'say what would be made, and make nothing')
    .addHelpText(
      'after',
      `
Makes each secret that the catalog declares as generated and that is not there.
What is there stays as it is, so that a second run does nothing. Shows no value.

Example:
  $ artifactstore secrets generate --catalog secrets.json --store file:/run/secrets`,
    )
    .action(async ({ dryRun = false, ...options }: GenerateOptions) => {
      const report = await withCatalog(context(), options, (opened) => generateSecrets({ ...opened, random: randomBytes, dryRun }));
      show(context(), report, dryRun);
    });
};

function show({ output }: Context, report: GeneratedReport, dryRun: boolean): void {
  if (output.json) {
    output.value({ ...report, dry_run: dryRun });
    return;
  }
  for (const name of report.made) output.line(`${output.colors.green(dryRun ? 'would make' : 'made')} ${name}`);
  const there = `${report.kept.length} were there already`;
  output.note(`${dryRun ? 'would make' : 'made'} ${counted(report.made.length, 'secret')} in ${report.store}, ${there}`);
}

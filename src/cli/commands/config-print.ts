import { addConfigOptions, type ConfigOptions, readGivenConfig } from '../config-options.ts';
import type { Definition } from '../definition.ts';

interface PrintOptions extends ConfigOptions {
  readonly all?: boolean;
}

export const configPrint: Definition = (command, context) => {
  addConfigOptions(command);
  command
    .option('--all', 'also the settings whose default counts')
    .addHelpText(
      'after',
      `
Prints the settings that were made, each with where: the environment overrides
.env. Passwords and tokens are not shown; references to secrets are, since they
only say where a secret is. A configuration that is wrong is not printed: what
is wrong with it is.

Examples:
  $ artifactstore config print
  $ artifactstore config print --all --json | jq '.settings[].name'
  $ artifactstore config print --settings /etc/artifactstore/serve.env`,
    )
    .action(async ({ all = false, ...options }: PrintOptions) => {
      const given = context();
      const { output } = given;
      const config = await readGivenConfig(given, options);
      const settings = Object.entries(config.describe())
        .map(([name, value]) => ({ name, value, from: originOf(config.originOf(name), options) }))
        .filter(({ from }) => all || from !== 'default');
      if (output.json) return output.value({ settings });
      if (settings.length === 0) return output.note('no setting was made: all defaults count; --all prints them');
      await output.table(
        ['SETTING', 'VALUE', 'FROM'],
        settings.map(({ name, value, from }) => [name, value, from]),
      );
    });
};

function originOf(origin: string | undefined, { settings }: ConfigOptions): string {
  if (origin === undefined) return 'default';
  return origin === 'environment' && settings !== undefined ? settings : origin;
}

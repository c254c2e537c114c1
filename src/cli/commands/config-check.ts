import { readAccessFileAt } from '../access-file.ts';
import { addConfigOptions, type ConfigOptions, readGivenConfig } from '../config-options.ts';
import type { Definition } from '../definition.ts';
import { counted } from '../terminal/size.ts';

export const configCheck: Definition = (command, context) => {
  addConfigOptions(command);
  command
    .addHelpText(
      'after',
      `
Says of every setting that is wrong or unknown what to do, all at once.
Then follows what the settings refer to: keys of buckets must be there and no
placeholders, and the access file must be right. Opens no database and no
storage: \`artifactstore health\` does.

Ends with exit code 2 when the configuration is wrong.

Examples:
  $ artifactstore config check
  $ artifactstore config check --env-file /etc/artifactstore/serve.env`,
    )
    .action(async (options: ConfigOptions) => {
      const given = context();
      const { output } = given;
      const config = await readGivenConfig(given, options);
      await given.checkConfig(config);
      const { accessConfigPath } = config;
      const access =
        accessConfigPath === undefined ? undefined : await readAccessFileAt(accessConfigPath, 'ARTIFACTSTORE_ACCESS_CONFIG_PATH');
      const warnings = (access?.warnings ?? []).map(({ line, column, message }) => `${accessConfigPath}:${line}:${column}: ${message}`);
      const set = Object.keys(config.describe()).filter((name) => config.originOf(name) !== undefined).length;
      if (output.json) return output.value({ ok: true, settings: set, warnings });
      for (const warning of warnings) output.warn(`warning: ${warning}`);
      output.line(`${output.colors.green('right')} ${counted(set, 'setting')}; all others have their defaults`);
    });
};

import type { Config } from '../../config/config.ts';
import type { AccessFile } from '../../identity/access-file/access-file.ts';
import { openIdentity } from '../../identity/open.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { readAccessFileAt } from '../access-file.ts';
import { addConfigOptions, type ConfigOptions, readGivenConfig } from '../config-options.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { referenceReader } from '../read-reference.ts';
import { counted } from '../terminal/size.ts';

export const configCheck: Definition = (command, context) => {
  addConfigOptions(command);
  command
    .addHelpText(
      'after',
      `
Says of every setting that is wrong or unknown what to do, all at once.
Then follows what the settings refer to: keys of buckets must be there and no
placeholders, and the access file and what it refers to must be right. Opens no
database and no storage: \`artifactstore health\` does.

Ends with exit code 2 when the configuration is wrong.

Examples:
  $ artifactstore config check
  $ artifactstore config check --settings /etc/artifactstore/serve.env`,
    )
    .action(async (options: ConfigOptions) => {
      const given = context();
      const { output } = given;
      const config = await readGivenConfig(given, options);
      await given.checkConfig(config);
      const access = await readAsServer(config);
      await requireClientSecrets(config, access, options.settings === undefined ? given.environment : undefined);
      const warnings = (access?.warnings ?? []).map(
        ({ line, column, message }) => `${config.accessConfigPath}:${line}:${column}: ${message}`,
      );
      const set = Object.keys(config.describe()).filter((name) => config.originOf(name) !== undefined).length;
      if (output.json) return output.value({ ok: true, settings: set, warnings });
      for (const warning of warnings) output.warn(`warning: ${warning}`);
      output.line(`${output.colors.green('right')} ${counted(set, 'setting')}; all others have their defaults`);
    });
};

/** The access file, refused for whatever a server refuses it for: a token of the server in it, or who may change it. */
async function readAsServer({ accessConfigPath: path, tokens }: Config): Promise<AccessFile | undefined> {
  if (path === undefined) return undefined;
  const file = await readAccessFileAt(path, 'ARTIFACTSTORE_ACCESS_CONFIG_PATH');
  await using _identity = await openIdentity({ tokens, accessFile: { path } });
  return file;
}

/**
 * Of issuers by which people sign in to the console: a server would say so only when somebody does. Without an
 * environment nobody knows what its variables will be.
 */
async function requireClientSecrets(
  config: Config,
  access: AccessFile | undefined,
  environment: Context['environment'] | undefined,
): Promise<void> {
  const read = referenceReader(config, environment ?? {});
  for (const { name, console } of access?.issuers ?? []) {
    if (console?.clientSecret === undefined || (environment === undefined && console.clientSecret.startsWith('env:'))) continue;
    const found = await read(console.clientSecret);
    if ('value' in found) continue;
    throw new ArtifactstoreError('invalid_configuration', `client_secret of [issuers.${name}.console]: ${found.problem}.`, {
      field: 'ARTIFACTSTORE_ACCESS_CONFIG_PATH',
    });
  }
}

import type { Config } from '../../config/config.ts';
import type { AccessFile } from '../../identity/access-file/access-file.ts';
import { openIdentity } from '../../identity/open.ts';
import { readAccessFileAt } from '../access-file.ts';
import { addConfigOptions, type ConfigOptions, seeGivenConfig } from '../config-options.ts';
import type { Context } from '../context.ts';
import type { Definition } from '../definition.ts';
import { referenceReader } from '../read-reference.ts';
import { collectRefusals } from '../refusals.ts';
import { counted } from '../terminal/size.ts';
import type { Wrong } from '../wrongs.ts';

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
      const seen = await seeGivenConfig(given, options);
      const { config } = seen;
      const wrongs: Wrong[] = [...seen.wrongs];
      const refusals = collectRefusals();
      // What follows from a setting that is wrong would be told as one more mistake.
      const looksAtKeys = !seen.wrongs.some(({ name = '' }) => /^ARTIFACTSTORE_(?:SECRETS|VAULT_|STORAGE_|S3_)/.test(name));
      if (looksAtKeys) await refusals.attempt(() => given.checkConfig(config));
      const access = await refusals.attempt(() => readAsServer(config));
      if (looksAtKeys)
        wrongs.push(...(await wrongClientSecrets(config, access, options.settings === undefined ? given.environment : undefined)));
      if (wrongs.length === 0 && refusals.errors.length === 1) refusals.throwAny();
      wrongs.push(...refusals.errors.map(({ field, message }) => ({ name: field, text: message })));
      const hints = [...refusals.hints(), ...(looksAtKeys ? [] : ['keys of buckets are looked at when their settings are right'])];
      if (wrongs.length > 0) throw seen.refusal(wrongs, hints);
      const ofAccess = (access?.warnings ?? []).map(
        ({ line, column, message }) => `${config.accessConfigPath}:${line}:${column}: ${message}`,
      );
      const warnings = [...seen.warnings, ...ofAccess];
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
async function wrongClientSecrets(
  config: Config,
  access: AccessFile | undefined,
  environment: Context['environment'] | undefined,
): Promise<readonly Wrong[]> {
  const read = referenceReader(config, environment ?? {});
  const wrongs: Wrong[] = [];
  for (const { name, console } of access?.issuers ?? []) {
    if (console?.clientSecret === undefined || (environment === undefined && console.clientSecret.startsWith('env:'))) continue;
    const found = await read(console.clientSecret);
    if ('problem' in found) wrongs.push({ text: `client_secret of [issuers.${name}.console]: ${found.problem}.` });
  }
  return wrongs;
}

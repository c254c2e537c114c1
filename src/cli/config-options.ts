import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Config, isSettingName, type SeenConfig, seeConfig } from '../config/config.ts';
import type { ArtifactstoreError } from '../kernel/error.ts';
import { type Context, seeCommandConfig } from './context.ts';
import { plainHint, type SeenEnvFile, seeEnvFileAt } from './env-file.ts';
import { isStoreSetting } from './store-settings.ts';
import { type Wrong, wrongError } from './wrongs.ts';

export interface ConfigOptions {
  readonly settings?: string;
}

/** Not `--env-file`: Node takes an option of that name for its own, wherever it stands. */
export function addConfigOptions(command: Command): void {
  command.option('--settings <file>', 'take the settings of this file, and none of the environment or .env');
}

/** A configuration in which defaults stand for what is wrong, and all that is. */
export interface GivenConfig extends Pick<SeenConfig, 'config'> {
  readonly wrongs: readonly Wrong[];
  /** What is not wrong, and may not be what was meant. */
  readonly warnings: readonly string[];
  /** Of those, with more that came up since. */
  refusal(wrongs: readonly Wrong[], hints?: readonly string[]): ArtifactstoreError;
}

/** Of the environment and `.env`, or of a file that a unit or a container will be given. */
export async function readGivenConfig(context: Context, options: ConfigOptions): Promise<Config> {
  if (options.settings === undefined) return context.config;
  const { config, wrongs, refusal } = await seeGivenConfig(context, options);
  if (wrongs.length > 0) throw refusal(wrongs);
  return config;
}

/** With all that is wrong. Errors: as of a file that cannot be read or is something else. */
export async function seeGivenConfig(context: Context, { settings }: ConfigOptions): Promise<GivenConfig> {
  if (settings === undefined) {
    const { config, problems, unreadDotEnv } = seeCommandConfig(context, context.globals);
    return {
      config,
      wrongs: problems,
      warnings: unreadDotEnv === undefined ? [] : [`nothing of ${join(config.directory, '.env')} counts: ${unreadDotEnv}`],
      refusal: (wrongs, hints = []) => refusalOf('The configuration', undefined, wrongs, hints),
    };
  }
  const path = resolve(context.directory, settings);
  const file = await seeEnvFileAt(path, '--settings');
  const doubted = new Set(file.problems.flatMap(({ name }) => (name === undefined ? [] : [name])));
  // A value that readers take differently is none, but its name may be wrong too. What references lead to is looked at.
  const blank = [...doubted].filter(isSettingName).map((name) => [name, ''] as const);
  const { config, problems } = seeConfig(Object.fromEntries([...file.values, ...blank]), {
    directory: context.directory,
    withDotEnv: false,
    doubted,
  });
  const [none, ...noneHints] = noSetting(file) ?? [];
  const fileHints = [...noneHints, ...(file.problems.length === 0 ? [] : [plainHint])];
  return {
    config,
    wrongs: [...(none === undefined ? [] : [{ text: none }]), ...file.problems, ...problems],
    warnings: [],
    refusal: (wrongs, hints = []) => refusalOf(path, '--settings', wrongs, [...fileHints, ...hints]),
  };
}

function refusalOf(what: string, option: string | undefined, wrongs: readonly Wrong[], hints: readonly string[]): ArtifactstoreError {
  const names = wrongs.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const field = option ?? names[0];
  return wrongError(`${what} is wrong${wrongs.length === 1 ? '' : ` in ${wrongs.length} places`}`, wrongs, {
    ...(field === undefined ? {} : { field }),
    info: { names, ...(hints.length === 0 ? {} : { hint: hints.join('; ') }) },
  });
}

/** Whoever gave another file than was meant would read that all is right. */
function noSetting({ names }: SeenEnvFile): readonly [problem: string, hint: string] | undefined {
  if ([...names].some(isSettingName)) return undefined;
  if (names.size === 0) return ['sets nothing: it is empty, or all of it is comments', 'remove the "#" before what is to count'];
  const which = names.size === 1 ? 'its one name is no setting' : `none of its ${names.size} names is a setting`;
  const hint = [...names].some(isStoreSetting)
    ? 'it looks like a file for `store init`, `store probe` and `smoke`'
    : 'is it the right file? .env.example has every setting';
  return [`${which}: those of artifactstore begin with ARTIFACTSTORE_`, hint];
}

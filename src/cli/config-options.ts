import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Config, readConfig } from '../config/config.ts';
import type { Context } from './context.ts';
import { readEnvFileAt } from './env-file.ts';

export interface ConfigOptions {
  readonly settings?: string;
}

/** Not `--env-file`: Node takes an option of that name for its own, wherever it stands. */
export function addConfigOptions(command: Command): void {
  command.option('--settings <file>', 'take the settings of this file, and none of the environment');
}

/** Of the environment and `.env`, or of a file that a unit or a container will be given. */
export async function readGivenConfig(context: Context, { settings }: ConfigOptions): Promise<Config> {
  if (settings === undefined) return context.config;
  const path = resolve(context.directory, settings);
  return readConfig(Object.fromEntries(await readEnvFileAt(path, '--settings')), { directory: context.directory });
}

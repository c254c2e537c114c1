import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Config, readConfig } from '../config/config.ts';
import type { Context } from './context.ts';
import { readEnvFileAt } from './env-file.ts';

export interface ConfigOptions {
  readonly envFile?: string;
}

export function addConfigOptions(command: Command): void {
  command.option('--env-file <file>', 'take the settings of this file, and none of the environment');
}

/** Of the environment and `.env`, or of a file that a unit or a container will be given. */
export async function readGivenConfig(context: Context, { envFile }: ConfigOptions): Promise<Config> {
  if (envFile === undefined) return context.config;
  const path = resolve(context.directory, envFile);
  return readConfig(Object.fromEntries(await readEnvFileAt(path, '--env-file')), { directory: context.directory });
}

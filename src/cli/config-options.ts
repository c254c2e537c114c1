import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Config, readConfig } from '../config/config.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseEnvFile } from '../protocol/env-file.ts';
import { localFileError } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';
import type { Context } from './context.ts';

export interface ConfigOptions {
  readonly envFile?: string;
}

/** Reads no more of a file of settings. */
const longestEnvFile = 1_048_576;

export function addConfigOptions(command: Command): void {
  command.option('--env-file <file>', 'take the settings of this file, and none of the environment');
}

/** Of the environment and `.env`, or of a file that a unit or a container will be given. */
export async function readGivenConfig(context: Context, { envFile }: ConfigOptions): Promise<Config> {
  if (envFile === undefined) return context.config;
  const path = resolve(context.directory, envFile);
  return readConfig(await readEnvFile(path), { directory: context.directory });
}

async function readEnvFile(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readAtMost(path, longestEnvFile).then(
    (bytes) => Buffer.from(bytes).toString(),
    (error: unknown) => {
      throw localFileError(error, path, 'read', { field: '--env-file' });
    },
  );
  const { values, problems } = parseEnvFile(text);
  if (problems.length === 0) return Object.fromEntries(values);
  const lines = problems.map(({ line, name, text: said }) => `  line ${line}${name === undefined ? '' : `, ${name}`}: ${said}`);
  throw new ArtifactstoreError('invalid_configuration', `Not every reader takes ${path} for the same:\n${lines.join('\n')}`, {
    field: '--env-file',
    info: { problems, hint: 'write plain NAME=value lines' },
  });
}

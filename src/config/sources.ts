import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { dotEnvName, environmentName, type SettingSource } from './settings.ts';

/** Where settings come from, the first one first. Throws `invalid_configuration` where `.env` can't be read. */
export function settingSources(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
  withDotEnv: boolean,
): readonly SettingSource[] {
  const own = { origin: environmentName, values: environment };
  return withDotEnv ? [own, { origin: dotEnvName, values: dotEnv(directory) }] : [own];
}

function dotEnv(directory: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(join(directory, '.env'), 'utf8'));
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    const reason = code === undefined ? (error as Error).message : fileReason(error);
    throw new ArtifactstoreError('invalid_configuration', `The file ${join(directory, '.env')} can't be read: ${reason}.`, {
      field: '.env',
      cause: error,
    });
  }
}

import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { readAtMostSync } from '../runtime/read-at-most.ts';
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

/** Reads no more of it. */
const longestDotEnv = 1_048_576;

function dotEnv(directory: string): Readonly<Record<string, string | undefined>> {
  try {
    const bytes = readAtMostSync(join(directory, dotEnvName), longestDotEnv);
    if (bytes.length > longestDotEnv) throw new Error(`it has more than ${longestDotEnv} bytes`);
    return parseEnv(Buffer.from(bytes).toString());
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    const reason = code === undefined ? (error as Error).message.replace(/\.$/, '') : fileReason(error);
    throw new ArtifactstoreError('invalid_configuration', `The file ${join(directory, '.env')} can't be read: ${reason}.`, {
      field: '.env',
      cause: error,
    });
  }
}

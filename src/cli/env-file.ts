import { ArtifactstoreError } from '../kernel/error.ts';
import { parseEnvFile } from '../protocol/env-file.ts';
import { localFileError } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';

/** Reads no more of a file of settings. */
const longestEnvFile = 1_048_576;

/** A file of `NAME=value` lines. Errors: `invalid_configuration` with all that its readers take differently. */
export async function readEnvFileAt(path: string, field: string): Promise<ReadonlyMap<string, string>> {
  const bytes = await readAtMost(path, longestEnvFile).catch((error: unknown) => {
    throw localFileError(error, path, 'read', { field });
  });
  if (bytes.length > longestEnvFile)
    throw new ArtifactstoreError('invalid_configuration', `${path} has more than ${longestEnvFile} bytes: it is no file of settings.`, {
      field,
    });
  const { values, problems } = parseEnvFile(Buffer.from(bytes).toString());
  if (problems.length === 0) return values;
  const lines = problems.map(({ line, name, text }) => `  line ${line}${name === undefined ? '' : `, ${name}`}: ${text}`);
  throw new ArtifactstoreError('invalid_configuration', `Not every reader takes ${path} for the same:\n${lines.join('\n')}`, {
    field,
    info: { problems, hint: 'write plain NAME=value lines' },
  });
}

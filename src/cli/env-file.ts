import { ArtifactstoreError, type ErrorDetail } from '../kernel/error.ts';
import { type EnvFile, parseEnvFile, plainLine } from '../protocol/env-file.ts';
import { plainText } from '../protocol/plain-text.ts';
import { localFileError } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';
import { wrongError } from './wrongs.ts';

/** Reads no more of a file of settings. */
const longestEnvFile = 1_048_576;

/** A file of `NAME=value` lines that is one, and all that its readers take differently. */
export interface SeenEnvFile extends EnvFile {
  /** Also of lines that are wrong. */
  readonly names: ReadonlySet<string>;
}

/** A file of `NAME=value` lines. Errors: `invalid_configuration` with all that its readers take differently. */
export async function readEnvFileAt(path: string, field: string): Promise<ReadonlyMap<string, string>> {
  const { values, problems } = await seeEnvFileAt(path, field);
  if (problems.length === 0) return values;
  throw wrongError(`Not every reader takes ${path} for the same`, problems, { field, info: { hint: plainHint } });
}

export const plainHint = 'write plain NAME=value lines';

/** The same for whoever has more to say of it. Errors: as of a file that cannot be read or is something else. */
export async function seeEnvFileAt(path: string, field: string): Promise<SeenEnvFile> {
  const bytes = await readAtMost(path, longestEnvFile).catch((error: unknown) => {
    throw localFileError(error, path, 'read', { field });
  });
  if (bytes.length > longestEnvFile) throw noSettings(path, `it has more than ${longestEnvFile} bytes`, { field });
  const plain = plainText(bytes);
  if ('problem' in plain) throw noSettings(path, plain.problem, { field });
  const file = parseEnvFile(plain.text);
  const names = new Set([...file.values.keys(), ...file.problems.flatMap(({ name }) => (name === undefined ? [] : [name]))]);
  const other = file.problems.filter(({ text: problem }) => problem === plainLine).length;
  if (names.size === 0 && other > 0)
    throw noSettings(path, `${other === 1 ? 'its line is not' : `none of its ${other} lines is`} NAME=value`, {
      field,
      info: { hint: /^services:/m.test(plain.text) ? 'it looks like a Compose file: `store posture --compose` reads those' : plainHint },
    });
  return { ...file, names };
}

function noSettings(path: string, problem: string, detail: ErrorDetail): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', `"${path}" is no file of settings: ${problem}.`, detail);
}

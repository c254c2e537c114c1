import { isUtf8 } from 'node:buffer';
import { ArtifactstoreError, type ErrorDetail } from '../kernel/error.ts';
import { type EnvFile, parseEnvFile, plainLine } from '../protocol/env-file.ts';
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
  const text = textOf(bytes);
  if (typeof text !== 'string') throw noSettings(path, text.problem, { field });
  const file = parseEnvFile(text);
  const names = new Set([...file.values.keys(), ...file.problems.flatMap(({ name }) => (name === undefined ? [] : [name]))]);
  const other = file.problems.filter(({ text: problem }) => problem === plainLine).length;
  if (names.size === 0 && other > 0)
    throw noSettings(path, `${other === 1 ? 'its line is not' : `none of its ${other} lines is`} NAME=value`, {
      field,
      info: { hint: /^services:/m.test(text) ? 'it looks like a Compose file: `store posture --compose` reads those' : plainHint },
    });
  return { ...file, names };
}

function textOf(bytes: Uint8Array): string | { readonly problem: string } {
  if (bytes.length > longestEnvFile) return { problem: `it has more than ${longestEnvFile} bytes` };
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return { problem: 'it is text in UTF-16: save it as UTF-8, without a byte order mark' };
  return isUtf8(bytes) && !bytes.includes(0) ? Buffer.from(bytes).toString() : { problem: 'it is no text in UTF-8' };
}

function noSettings(path: string, problem: string, detail: ErrorDetail): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', `"${path}" is no file of settings: ${problem}.`, detail);
}

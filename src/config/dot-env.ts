import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ArtifactstoreError } from '../kernel/error.ts';
import { plainText } from '../protocol/plain-text.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { readAtMostSync } from '../runtime/read-at-most.ts';
import { dotEnvName, type Problem } from './settings.ts';

export interface DotEnv {
  readonly values: Readonly<Record<string, string | undefined>>;
  /** Lines with a setting that nobody would read, by the name of the setting. */
  readonly problems: readonly Problem[];
  /** Why it has no value at all, though it is not empty: half a sentence about it. */
  readonly unread: string | undefined;
}

/** Reads no more of it. */
const longestDotEnv = 1_048_576;

/**
 * The `.env` of a directory; empty where there is none. It may be another program's, so a line without one of our names
 * may be anything. Errors: `invalid_configuration` where it cannot be read.
 */
export function readDotEnv(directory: string): DotEnv {
  const path = join(directory, dotEnvName);
  try {
    const bytes = readAtMostSync(path, longestDotEnv);
    if (bytes.length > longestDotEnv) throw new Error(`it has more than ${longestDotEnv} bytes`);
    return parseDotEnv(bytes);
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { values: {}, problems: [], unread: undefined };
    const reason = code === undefined ? (error as Error).message.replace(/\.$/, '') : fileReason(error);
    throw new ArtifactstoreError('invalid_configuration', `The file ${path} can't be read: ${reason}.`, {
      field: dotEnvName,
      cause: error,
    });
  }
}

/** Quotes, `export` and comments are read as Node reads them. No problem has anything of a value. */
function parseDotEnv(bytes: Uint8Array): DotEnv {
  const text = Buffer.from(bytes).toString();
  const plain = plainText(bytes);
  const fault = 'problem' in plain ? plain.problem : undefined;
  // Of UTF-16, every other byte of a name is 0.
  const [hidden] = text.includes('\0') ? (ourName.exec(text.replaceAll('\0', '')) ?? []) : [];
  if (hidden !== undefined)
    return { values: {}, problems: [{ name: hidden, text: `${dotEnvName} cannot be read: ${fault}` }], unread: undefined };
  const values = parseEnv(text);
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const given = new Map<string, string | undefined>();
  const problems: Problem[] = [];
  for (const [index, line] of lines.entries()) {
    const [name] = ourName.exec(line) ?? [];
    if (name === undefined || line.trimStart().startsWith('#')) continue;
    const refuse = (problem: string): void => void problems.push({ name, text: `line ${index + 1} of ${dotEnvName} ${problem}` });
    if (line.startsWith('\ufeff')) refuse('begins with a byte order mark: save the file without it');
    else if (fault !== undefined && line.includes('\ufffd')) refuse('is no text in UTF-8');
    else {
      const problem = lineProblem(line, name, values, given);
      if (problem !== undefined) refuse(problem);
    }
  }
  const isSilent = lines.every((line) => line.trim() === '' || line.trimStart().startsWith('#'));
  const none = isSilent || Object.keys(values).length > 0 ? undefined : 'no line of it is NAME=value';
  return { values, problems, unread: isSilent ? undefined : (fault ?? none) };
}

/** Where it stands first in a line. */
const ourName = /\bARTIFACTSTORE_\w*/i;

/** `given` has the values of the lines before, by name. */
function lineProblem(line: string, name: string, values: DotEnv['values'], given: Map<string, string | undefined>): string | undefined {
  const [, assigned] = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=/.exec(line) ?? [];
  // What another variable is given is that one's.
  if (assigned !== undefined && !/^ARTIFACTSTORE_/i.test(assigned)) return undefined;
  if (assigned === undefined) {
    const isExport = /^\s*export\s+\w+\s*$/.test(line) && values[name] !== undefined;
    return isExport ? undefined : 'is not NAME=value, and is no comment either';
  }
  if (values[assigned] === undefined) return 'is in the quotes of another variable, which end on a later line';
  const value = parseEnv(line)[assigned] ?? '';
  if (/\r/.test(line) || /(?:^|\s)ARTIFACTSTORE_\w*=/i.test(value)) return 'has more than one setting: give each a line';
  const before = given.get(assigned);
  given.set(assigned, value);
  return before === undefined || before === value ? undefined : 'sets it to another value than a line before: leave one of them';
}

/** What a file of `NAME=value` lines says, and all that is wrong with it. */
export interface EnvFile {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly EnvProblem[];
}

/** It has nothing of a value, which may be a secret. */
export interface EnvProblem {
  readonly line: number;
  readonly name: string | undefined;
  readonly text: string;
}

/**
 * Reads the lines that every reader of such files takes for the same: Docker Compose, `docker run --env-file`, systemd
 * (`EnvironmentFile=`) and a shell differ in quotes, `$`, backslashes and comments behind a value, so these are
 * problems here. Nothing is ever run or replaced. Empty lines and lines that begin with `#` say nothing.
 */
export function parseEnvFile(text: string): EnvFile {
  const values = new Map<string, string>();
  const problems: EnvProblem[] = [];
  const lines = text.replace(/\n$/, '').split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = raw.replace(/\r$/, '').replace(/^\ufeff/, '');
    const refuse = (problem: string, name?: string): void => void problems.push({ line, name, text: problem });
    if (line === 1 && raw.startsWith('\ufeff')) refuse('begins with a byte order mark: save the file without it');
    if (raw.endsWith('\r') && !problems.some(({ text: said }) => said === carriageReturn)) refuse(carriageReturn);
    if (content.trim() === '' || content.trimStart().startsWith('#')) continue;
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(content) ?? [];
    if (name === undefined || value === undefined) {
      const fault = lineFault(content);
      refuse(fault.text, fault.name);
      continue;
    }
    if (values.has(name)) refuse('is there twice: readers differ in which of them counts', name);
    const fault = valueFault(value);
    if (fault !== undefined) refuse(fault, name);
    values.set(name, value);
  }
  return { values, problems };
}

const carriageReturn = 'ends with a carriage return, as all lines of a file from Windows do: some readers keep it';

/** With the name that is meant, where one is: a program that takes the line otherwise has a value for it. */
function lineFault(content: string): { readonly text: string; readonly name?: string } {
  const [, exported, name, behind] = /^\s*(export\s+)?([A-Za-z_][A-Za-z0-9_]*)(\s*)=/.exec(content) ?? [];
  if (name === undefined) return { text: plainLine };
  if (exported !== undefined) return { name, text: 'begins with "export", which only a shell understands' };
  return { name, text: behind === '' ? 'begins with white space' : 'has white space before "="' };
}

/** What is wrong with a line that is nothing of the kind. */
export const plainLine = 'is not NAME=value';

function valueFault(value: string): string | undefined {
  if (value.trim() !== value) return 'begins or ends with white space, which readers treat differently';
  if (/^<no value>$/i.test(value)) return 'is "<no value>": the template that made the file found nothing there';
  if (/["'`]/.test(value)) return 'has quotes, which some readers take for a part of the value';
  if (/[$\\]/.test(value)) return 'has "$" or a backslash, which some readers replace';
  if (/\s#/.test(value)) return 'has " #", from where on some readers take it for a comment';
  return /\p{Cc}/u.test(value) ? 'has a control character' : undefined;
}

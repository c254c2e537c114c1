import picocolors from 'picocolors';
import { isArtifactstoreError, toErrorRecord } from '../../kernel/error.ts';
import { printable, printableJson } from '../../kernel/format/printable.ts';
import { hintFor } from './hint.ts';
import { outletOf } from './outlet.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What a command says: results on standard output, everything else on standard error. */
export interface Output {
  readonly json: boolean;
  readonly colors: Colors;
  /** The result, as one line of JSON. */
  value(value: unknown): void;
  line(text: string): void;
  /** JSON that was made before: unchanged, except for what a terminal would act on. */
  text(text: string): void;
  /** Rows under a head, in columns that fit the terminal. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>;
  /** For people, on standard error; `--quiet` and `--json` leave it out. */
  note(text: string): void;
  /** On standard error, even with `--quiet`. */
  warn(text: string): void;
  error(error: unknown): void;
  /** Aborted when nothing more can be written to standard output: where that is all the work there is, it ends. */
  readonly ended: AbortSignal;
  /** Resolves when the reader of standard output keeps up: to be awaited by who writes without end. */
  ready(): Promise<void>;
  /** Somebody stopped what was written without end: it is not waited for readers any more. */
  hurry(): void;
  /** Standard error, when somebody watches it: a line of it may be written over. */
  readonly watched: NodeJS.WriteStream | undefined;
}

export interface OutputOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

export function createOutput({ stdout, stderr, environment, json, quiet, color }: OutputOptions): Output {
  const wantsColor = color && !json && environment.NO_COLOR === undefined && environment.TERM !== 'dumb';
  const colors = picocolors.createColors(wantsColor && stdout.isTTY === true);
  const errorColors = picocolors.createColors(wantsColor && stderr.isTTY === true);
  const [out, err] = [outletOf(stdout), outletOf(stderr)];
  const warn = (text: string): void => err.write(`${printable(text)}\n`);
  return {
    json,
    colors,
    ended: out.ended,
    ready: () => out.ready(),
    hurry: () => {
      out.hurried = true;
    },
    value: (value) => out.write(`${printableJson(JSON.stringify(value))}\n`),
    line: (text) => out.write(`${printable(text)}\n`),
    text: (text) => out.write(stdout.isTTY === true ? printableJson(text) : text),
    async table(head, rows) {
      const { formatTable } = await import('./table.ts');
      const columns = stdout.isTTY === true ? stdout.columns : undefined;
      out.write(
        `${await formatTable(
          head,
          rows.map((row) => row.map((cell) => printable(cell).replace(/[\t\n]/g, '\ufffd'))),
          { columns, bold: colors.bold },
        )}\n`,
      );
    },
    note: (text) => {
      if (!quiet && !json) warn(text);
    },
    warn,
    error: (error) => {
      if (json) return err.write(`${printableJson(JSON.stringify(problemOf(error)))}\n`);
      const known = isArtifactstoreError(error);
      const message = error instanceof Error ? error.message : String(error);
      warn(`${errorColors.red('error:')} ${message} ${errorColors.dim(`(${known ? error.code : 'internal'})`)}`);
      const hint = known ? hintFor(error) : undefined;
      if (hint !== undefined) warn(`${errorColors.dim('hint:')} ${hint}`);
    },
    watched: stderr.isTTY === true && !quiet && !json ? stderr : undefined,
  };
}

function problemOf(error: unknown): unknown {
  if (isArtifactstoreError(error)) {
    const { message, ...rest } = toErrorRecord(error);
    const hint = hintFor(error);
    return { ...rest, detail: message, ...(hint === undefined ? {} : { hint }) };
  }
  return { code: 'internal', detail: error instanceof Error ? error.message : String(error) };
}

import picocolors from 'picocolors';
import type { CommandOutput } from '../../command.ts';
import { isArtifactstoreError, toErrorRecord } from '../../kernel/error.ts';
import { printable, printableJson, printableMessage, uncoloured } from '../../kernel/format/printable.ts';
import { hintFor } from './hint.ts';
import { outletOf } from './outlet.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What a command of the core says, which knows its terminal. */
export interface Output extends CommandOutput {
  readonly colors: Colors;
  /** JSON that was made before: unchanged, except for what a terminal would act on. */
  text(text: string): void;
  /** Aborted when nothing more can be written to standard output: where that is all the work there is, it ends. */
  readonly ended: AbortSignal;
  /** Resolves when the reader of standard output keeps up: to be awaited by who writes without end. */
  ready(): Promise<void>;
  /** Somebody stopped what was written without end: it is not waited for readers any more. */
  hurry(): void;
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
  const warn = (text: string): void => err.write(`${uncoloured(text)}\n`);
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
      const message = printableMessage(error instanceof Error ? error.message : String(error));
      err.write(`${errorColors.red('error:')} ${message} ${errorColors.dim(`(${known ? error.code : 'internal'})`)}\n`);
      const hint = known ? hintFor(error) : undefined;
      if (hint !== undefined) err.write(`${errorColors.dim('hint:')} ${printableMessage(hint)}\n`);
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

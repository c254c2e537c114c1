import process from 'node:process';

/**
 * One measured answer. A ratio is `value / against.value`; `median` runs of both are interleaved by whoever measures.
 */
export interface Figure {
  readonly name: string;
  /** Undefined when it could not be measured: `note` says why. */
  readonly value: number | undefined;
  readonly unit: Unit;
  readonly against?: { readonly name: string; readonly value: number; readonly unit?: Unit };
  readonly bar?: Bar;
  readonly note?: string;
}

export type Unit = 'MB/s' | '/s' | 's' | 'ms' | 'MiB' | 'B';

export type Bar =
  | { readonly of: 'ratio'; readonly atLeast: number }
  | { readonly of: 'value'; readonly atLeast: number }
  | { readonly of: 'value'; readonly under: number };

/**
 * Runs one question from the command line: a table for people, with `--json` the figures as one JSON line on stdout.
 */
export async function report(question: () => Promise<readonly Figure[]>): Promise<void> {
  const figures = await question();
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(figures)}\n` : `\n${table(figures)}\n`);
}

/** Markdown, so that it can go into the README as it is. */
export function table(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'measured', 'against', 'ratio', 'bar', 'met'],
    ...figures.map((figure) => [
      figure.note === undefined ? figure.name : `${figure.name} (${figure.note})`,
      figure.value === undefined ? '-' : quantity(figure.value, figure.unit),
      figure.against === undefined ? '' : `${figure.against.name} ${quantity(figure.against.value, figure.against.unit ?? figure.unit)}`,
      ratio(figure)?.toFixed(2) ?? '',
      figure.bar === undefined ? '' : describeBar(figure.bar, figure.unit),
      figure.bar === undefined ? '' : ({ true: 'yes', false: 'NO', undefined: 'not measured' } as const)[`${met(figure)}`],
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`);
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  return lines.join('\n');
}

/** Undefined where there is no bar, or nothing to hold against it. */
export function met({ value, bar, ...figure }: Figure): boolean | undefined {
  const measured = bar?.of === 'ratio' ? ratio({ value, ...figure }) : value;
  if (bar === undefined || measured === undefined) return undefined;
  return 'atLeast' in bar ? measured >= bar.atLeast : measured < bar.under;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/**
 * Of pairs that were measured one right after the other, the one whose ratio is in the middle. A disk may write twice
 * as fast for a while, and a median of each side alone then compares two states of the disk.
 */
export function middlePair(pairs: readonly (readonly [value: number, against: number])[]): readonly [value: number, against: number] {
  const sorted = pairs.toSorted(([a, b], [c, d]) => a / b - c / d);
  const pair = sorted[Math.floor((sorted.length - 1) / 2)];
  if (pair === undefined) throw new Error('nothing was measured');
  return pair;
}

/** The smallest value that at least this share of the values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/** Seconds that the work took. */
export async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** What goes on, for the person who waits; never on stdout. */
export function progress(text: string): void {
  process.stderr.write(`  ${text}\n`);
}

function ratio({ value, against }: Figure): number | undefined {
  return value === undefined || against === undefined ? undefined : value / against.value;
}

function describeBar(bar: Bar, unit: Unit): string {
  if (bar.of === 'ratio') return `ratio >= ${bar.atLeast}`;
  return 'atLeast' in bar ? `>= ${quantity(bar.atLeast, unit)}` : `< ${quantity(bar.under, unit)}`;
}

function quantity(value: number, unit: Unit): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  const number = value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === '/s' ? `${number}/s` : `${number} ${unit}`;
}

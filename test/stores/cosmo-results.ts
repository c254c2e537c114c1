import { fileURLToPath } from 'node:url';
import type { StoreProbeReport } from '../../src/certify/shape/reports.ts';

export interface CosmoResult {
  readonly name: string;
  readonly version: string;
  readonly report: StoreProbeReport;
}

export const baselineDocument: string = fileURLToPath(new URL('../../docs/baseline.md', import.meta.url));

const begin = '<!-- stores under the shape of Cosmo: begin -->';
const end = '<!-- stores under the shape of Cosmo: end -->';
const heads = [
  ['| store | version | day | region | holds | verdict |', '|---|---|---|---|---|---|'],
  ['| store | check | what was found | what follows for Cosmo | what avoids it |', '|---|---|---|---|---|'],
] as const;

/** The document with the rows of this store made from what was found, and everything else as it was. */
export function documentWith(document: string, result: CosmoResult): string {
  const from = document.indexOf(begin) + begin.length;
  const to = document.indexOf(end);
  const tables = document.slice(from, to).trim().split('\n\n');
  const rowsOf = (at: number): readonly string[] => (tables[at] ?? '').split('\n').slice(2);
  const others = (rows: readonly string[]): readonly string[] => rows.filter((row) => !row.startsWith(`| ${result.name} |`));
  const both = [
    [...others(rowsOf(0)), rowOf(result)],
    [...others(rowsOf(1)), ...deviationsOf(result)],
  ].map((rows, index) => [...heads[index]!, ...rows.toSorted()].join('\n'));
  return `${document.slice(0, from)}\n\n${both.join('\n\n')}\n\n${document.slice(to)}`;
}

/** What the document says of this version of a store: every check that does not hold. Undefined of another version. */
export function documentedDeviations(document: string, { name, version }: CosmoResult): readonly string[] | undefined {
  const rows = document.split('\n').filter((line) => line.startsWith(`| ${name} |`));
  if (!rows.some((row) => row.startsWith(`| ${name} | ${version} |`))) return undefined;
  return rows.flatMap((row) => /^\| [^|]+ \| `([^`]+)` \|/.exec(row)?.[1] ?? []).toSorted();
}

export function foundDeviations({ report }: CosmoResult): readonly string[] {
  return report.checks
    .filter(({ result }) => result !== 'pass')
    .map(({ id }) => id)
    .toSorted();
}

function rowOf({ name, version, report }: CosmoResult): string {
  const held = report.checks.filter(({ result }) => result === 'pass').length;
  const fails = report.checks.filter(({ result }) => result === 'fail').length;
  const verdict = fails > 0 ? 'with the settings below' : held === report.checks.length ? 'as it is' : 'as it is; see what differs';
  return `| ${[name, version, report.started_at.slice(0, 10), `\`${report.store.region}\``, `${held} of ${report.checks.length}`, verdict].join(' | ')} |`;
}

function deviationsOf({ name, report }: CosmoResult): readonly string[] {
  return report.checks.flatMap(({ id, result, detail, consequence, remedy }) =>
    result === 'pass' ? [] : [`| ${[name, `\`${id}\``, detail, consequence ?? '', remedy ?? ''].map(oneLine).join(' | ')} |`],
  );
}

function oneLine(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}

import { fileURLToPath } from 'node:url';
import type { Certificate, ProbeResult, Use, Verdict } from '../../src/certify/certificate.ts';
import { useRules } from '../../src/certify/uses.ts';

export interface StoreResult {
  readonly name: string;
  readonly version: string;
  readonly certificate: Certificate;
}

export const storesDocument: string = fileURLToPath(new URL('../../docs/stores.md', import.meta.url));

const begin = '<!-- results of real stores: begin -->';
const end = '<!-- results of real stores: end -->';

/** What the document says of a store: its version, and what it is fit for. */
export function documentedRow(document: string, name: string): readonly string[] | undefined {
  const row = document.split('\n').find((line) => line.startsWith(`| ${name} |`));
  return row === undefined ? undefined : fitness(row);
}

/** The same, of what was found. */
export function foundRow(result: StoreResult): readonly string[] {
  return fitness(rowOf(result));
}

/**
 * Without the day, and without the precautions: how a race ends, on which some of them depend, is a matter of chance.
 */
function fitness(row: string): readonly string[] {
  return row
    .slice(2, -2)
    .split(' | ')
    .toSpliced(2, 1)
    .map((cell) => (cell === verdictWords.safe_with_precautions ? verdictWords.safe : cell));
}

/** The document with this store's row and its section made anew, and everything else as it was. */
export function documentWith(document: string, result: StoreResult): string {
  const from = document.indexOf(begin) + begin.length;
  const to = document.indexOf(end);
  const [table = '', ...sections] = document
    .slice(from, to)
    .trim()
    .split(/\n\n(?=### )/);
  const rows = table.split('\n').slice(2);
  replace(rows, `| ${result.name} |`, rowOf(result));
  replace(sections, `### ${result.name}\n`, sectionOf(result));
  return `${document.slice(0, from)}\n\n${[[...head, ...rows].join('\n'), ...sections].join('\n\n')}\n\n${document.slice(to)}`;
}

function replace(all: string[], start: string, next: string): void {
  const at = all.findIndex((each) => each.startsWith(start));
  all.splice(at < 0 ? all.length : at, at < 0 ? 0 : 1, next);
}

const head = [
  '| store | version | day | registry | several servers | publishing once | browsers | object lock | grade |',
  '|---|---|---|---|---|---|---|---|---|',
];

const uses: readonly Use[] = ['registry', 'several-writers', 'conditional-publishing', 'direct-uploads', 'write-once'];

const verdictWords: { readonly [V in Verdict]: string } = {
  safe: 'safe',
  safe_with_precautions: 'with precautions',
  unsafe: 'unsafe',
  unproven: 'unproven',
};

function rowOf({ name, version, certificate }: StoreResult): string {
  const verdicts = uses.map((use) => {
    const found = certificate.uses.find((each) => each.use === use);
    return found === undefined ? '' : verdictWords[found.verdict];
  });
  return `| ${[name, version, certificate.started_at.slice(0, 10), ...verdicts, certificate.grade].join(' | ')} |`;
}

/** The probes that did not pass and what follows from that, for the uses that ask for them. */
function sectionOf({ name, version, certificate }: StoreResult): string {
  const { probes, dialect, leftovers } = certificate;
  const count = (result: ProbeResult['result']): number => probes.filter((probe) => probe.result === result).length;
  const rows = probes.flatMap(({ id, detail, result }) => {
    const consequence = consequenceOf(certificate, id);
    if (result !== 'fail' && (result !== 'differs' || consequence === undefined)) return [];
    return `| \`${id}\` | ${oneLine(detail)} | ${consequence ?? 'no use asks for it'} |`;
  });
  const skipped = Map.groupBy(
    probes.filter(({ result }) => result === 'skipped'),
    ({ detail }) => detail,
  );
  // The name of what was left is another each time.
  const left = Map.groupBy(leftovers, (each) => each.slice(each.indexOf(': ') + 2));
  return [
    `### ${name}`,
    '',
    `${version}: of ${probes.length} probes ${count('pass')} passed, ${count('fail')} failed, ${count('differs')} were answered in another way than by AWS, ` +
      `${count('skipped')} were skipped. Saved profile: bodies are bound by ${dialect.bodyBinding}, the owner's ACL is ${dialect.ownerAcl ? '' : 'not '}sent. ` +
      (left.size === 0
        ? 'Nothing was left behind.'
        : `Left behind: ${[...left].map(([why, of]) => `${of.length} (${oneLine(why)})`).join(', ')}.`),
    ...(rows.length === 0 ? [] : ['', '| probe | what was found | what follows |', '|---|---|---|', ...rows]),
    ...(skipped.size === 0
      ? []
      : ['', `Skipped: ${[...skipped].map(([why, of]) => `${of.map(({ id }) => `\`${id}\``).join(', ')} (${oneLine(why)})`).join('; ')}.`]),
  ].join('\n');
}

function consequenceOf({ uses: judgements }: Certificate, id: string): string | undefined {
  const unsafe = judgements.filter(({ verdict, decided_by }) => verdict === 'unsafe' && decided_by.some((each) => each.id === id));
  if (unsafe.length > 0) return unsafe.map(({ title }) => `**unsafe** for ${title}`).join('; ');
  const precautions = new Set(useRules.flatMap((rule) => rule.precautions[id] ?? []));
  return precautions.size === 0 ? undefined : [...precautions].join('; ');
}

function oneLine(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(.)\1{30,}/g, '$1$1$1…')
    .trim();
}

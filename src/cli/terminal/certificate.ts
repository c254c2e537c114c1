import type { Certificate, Family, Finding, KeysScope, ProbeResult, Verdict } from '../../certify/certificate.ts';
import type { Colors } from './output.ts';

/** A line for each family, one for each probe that did not pass, and the uses. */
export function certificateLines({ store, seconds, grade, uses, scope, probes, dialect }: Certificate, colors: Colors): readonly string[] {
  const paint: { readonly [R in Finding['result']]: (text: string) => string } = {
    pass: colors.green,
    fail: colors.red,
    differs: colors.yellow,
    skipped: colors.dim,
  };
  const lines = [`${colors.bold(`${store.endpoint}/${store.bucket}`)}${store.server === null ? '' : `  (${store.server})`}`, ''];
  for (const [family, own] of byFamily(probes)) {
    const passed = own.filter(({ result }) => result === 'pass').length;
    lines.push(
      `${colors.bold(family.padEnd(12))} ${own.map(({ result }) => paint[result](resultSigns[result])).join('')}  ${passed} of ${own.length}`,
    );
    for (const { id, result, title, detail } of own)
      if (result !== 'pass') lines.push(`  ${paint[result](resultSigns[result])} ${id}: ${title}`, `      ${colors.dim(detail)}`);
  }
  lines.push('');
  for (const { title, verdict, decided_by } of uses) {
    lines.push(`${verdictPaint(verdict, colors)(verdictWords[verdict].padEnd(23))} ${title}`);
    for (const { id, text } of decided_by) lines.push(`${' '.repeat(24)}${colors.dim(`${id}: ${text}`)}`);
  }
  if (scopeWasAsked(probes)) {
    lines.push(`${scopePaint(scope, colors)(scopeWords[scope.verdict].padEnd(23))} ${scopeTitle}`);
    for (const { id, text, remedy } of scope.decided_by)
      lines.push(`${' '.repeat(24)}${colors.dim(`${id}: ${text}`)}`, `${' '.repeat(26)}${colors.dim(remedy)}`);
  }
  lines.push(
    '',
    `grade ${colors.bold(grade)}, ${seconds} s; bodies bound by ${dialect.bodyBinding}, owner's ACL ${dialect.ownerAcl ? 'sent' : 'not sent'}`,
  );
  return lines;
}

/** The same as a page. */
export function certificateMarkdown({ store, version, started_at, grade, uses, scope, probes }: Certificate): readonly string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  return [
    `Bucket \`${store.bucket}\` at ${store.endpoint}${store.server === null ? '' : ` (${cell(store.server)})`}, ${started_at.slice(0, 10)}, artifactstore ${version}: grade **${grade}**.`,
    '',
    '| use | verdict | decided by |',
    '|---|---|---|',
    ...uses.map(
      ({ title, verdict, decided_by }) =>
        `| ${title} | ${verdictWords[verdict]} | ${cell(decided_by.map(({ id, text }) => `${id}: ${text}`).join('; '))} |`,
    ),
    ...(scopeWasAsked(probes)
      ? [
          `| ${scopeTitle} | ${scopeWords[scope.verdict]} | ${cell(scope.decided_by.map(({ id, text, remedy }) => `${id}: ${text} (${remedy})`).join('; '))} |`,
        ]
      : []),
    '',
    '| probe | what holds | result |',
    '|---|---|---|',
    ...probes.map(({ id, title, result, detail }) => `| ${id} | ${cell(title)} | ${resultSigns[result]} ${cell(detail)} |`),
  ];
}

function byFamily(probes: readonly ProbeResult[]): ReadonlyMap<Family, readonly ProbeResult[]> {
  return Map.groupBy(probes, ({ family }) => family);
}

/** A sign for each result. */
export const resultSigns: { readonly [R in Finding['result']]: string } = { pass: '✓', fail: '✗', differs: '~', skipped: '–' };

const scopeTitle = 'scope of the keys';

const scopeWords: { readonly [V in KeysScope['verdict']]: string } = { proven: 'proven', too_wide: 'too wide', unproven: 'unproven' };

function scopePaint({ verdict }: KeysScope, colors: Colors): (text: string) => string {
  return verdict === 'proven' ? colors.green : verdict === 'too_wide' ? colors.red : colors.yellow;
}

/** Who asks for other families only does not ask for it. */
function scopeWasAsked(probes: readonly ProbeResult[]): boolean {
  return probes.some(({ family }) => family === 'reach');
}

const verdictWords: { readonly [V in Verdict]: string } = {
  safe: 'safe',
  safe_with_precautions: 'safe, with precautions',
  unsafe: 'unsafe',
  unproven: 'unproven',
};

function verdictPaint(verdict: Verdict, colors: Colors): (text: string) => string {
  if (verdict === 'safe') return colors.green;
  return verdict === 'unsafe' ? colors.red : colors.yellow;
}

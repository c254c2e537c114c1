import type { StoreProbeReport } from '../../certify/shape/reports.ts';
import { resultSigns } from './certificate.ts';
import type { Colors } from './output.ts';
import { counted } from './size.ts';

/** A line for each check, with the consequence and the remedy of those that do not hold. */
export function storeProbeLines(
  { store, shape, seconds, checks, ok, cleaned, busy, leftovers }: StoreProbeReport,
  colors: Colors,
): readonly string[] {
  const paint = { pass: colors.green, fail: colors.red, differs: colors.yellow, skipped: colors.dim };
  const lines = [`${colors.bold(`${store.endpoint}/${store.bucket}`)}${store.server === null ? '' : `  (${store.server})`}`, ''];
  for (const { id, title, result, detail, consequence, remedy } of checks) {
    lines.push(`${paint[result](resultSigns[result])} ${id.padEnd(width)} ${title}`);
    if (result === 'pass') continue;
    lines.push(`  ${detail}`);
    if (consequence !== null) lines.push(`  follows: ${consequence}`);
    if (remedy !== null) lines.push(`  do this: ${remedy}`);
  }
  const passed = checks.filter(({ result }) => result === 'pass').length;
  lines.push('');
  for (const prefix of cleaned) lines.push(`removed what an earlier run left that was killed: ${prefix}`);
  for (const prefix of busy) lines.push(`another run may be at work, so this was left alone: ${prefix}`);
  lines.push(
    `${ok ? colors.green('right') : colors.red('not right')} shape ${shape}: ${passed} of ${counted(checks.length, 'check')} hold, ` +
      `${leftovers.length === 0 ? 'nothing was left behind' : `${leftovers.length} left behind`}, ${seconds} s`,
  );
  return lines;
}

const width = 25;

import type { Quota } from '../../kernel/access.ts';
import { isTable } from '../../protocol/toml.ts';
import { type Findings, shown } from './findings.ts';
import { isText, readTable, refuseUnknownKeys } from './table-reader.ts';

const known = ['maximum_bytes', 'maximum_packages'];

/** `[quotas.<producer>]`: the producer by its whole name. */
export function readQuotas(findings: Findings, value: unknown): ReadonlyMap<string, Quota> {
  const quotas = new Map<string, Quota>();
  if (value === undefined) return quotas;
  if (!isTable(value)) {
    findings.error(['quotas'], 'quotas are tables of their own: [quotas.<producer>]');
    return quotas;
  }
  for (const [producer, table] of Object.entries(value)) {
    const path = ['quotas', producer];
    if (!isText(producer, 256)) findings.error(path, `${shown(producer)} is no producer: 1 to 256 characters, without control characters`);
    if (/[*?]/.test(producer)) findings.error(path, `a quota is for one producer by its whole name, and ${shown(producer)} is a pattern`);
    if (!isTable(table)) {
      findings.error(path, `quotas.${producer} must be a table with ${known.join(', ')}`);
      continue;
    }
    const inner = Object.keys(table).find((key) => isTable(table[key]));
    if (inner !== undefined) {
      findings.error([...path, inner], `a producer with a dot in its name is written in quotes: [quotas."${producer}.${inner}"]`);
      continue;
    }
    refuseUnknownKeys(findings, path, table, known, '[quotas.<producer>]');
    const reader = readTable(findings, path, table);
    if (!known.some(reader.has)) findings.error(path, `the quota of ${shown(producer)} says nothing: it needs ${known.join(' or ')}`);
    quotas.set(producer, {
      maximum_bytes: reader.integer('maximum_bytes', { from: 0, to: Number.MAX_SAFE_INTEGER, unit: 'bytes' }) ?? null,
      maximum_packages: reader.integer('maximum_packages', { from: 0, to: Number.MAX_SAFE_INTEGER }) ?? null,
    });
  }
  return quotas;
}

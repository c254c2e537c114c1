import { allows, inScope, scopeOf } from '../../kernel/access.ts';
import { parseToml, type TomlTable } from '../../protocol/toml.ts';
import type { AccessFile, FileGrant, Finding } from './access-file.ts';
import { collectFindings, type Findings, shown } from './findings.ts';
import { readGrants } from './grants-table.ts';
import { readIssuers } from './issuers-table.ts';
import { overlaps } from './overlap.ts';
import { readQuotas } from './quotas-table.ts';
import { meant, refuseUnknownKeys } from './table-reader.ts';

/** Beyond it nobody has written it by hand, and reading it would keep requests waiting. */
export const longestAccessFile = 4_194_304;

export type ReadAccessFile = { readonly file: AccessFile } | { readonly errors: readonly Finding[] };

/**
 * What an access file says (docs/access.md), or everything that is wrong with it. `processes` is how many of this
 * server read it.
 */
export function readAccessFile(bytes: Uint8Array, processes = 1): ReadAccessFile {
  if (bytes.length > longestAccessFile) return failed(`the file has ${bytes.length} bytes, and at most ${longestAccessFile} are taken`);
  const text = decode(bytes);
  if (typeof text !== 'string')
    return { errors: [{ line: text.line, column: 1, message: 'this line is not UTF-8: save the file as UTF-8' }] };
  if (text.trim() === '')
    return failed('the file is empty, as one that is being written; where nothing is to be granted, say so in a line of comment');
  const document = parseToml(text);
  if ('problem' in document) return { errors: [{ ...document.place, message: document.problem }] };
  const findings = collectFindings(document.placeOf);
  const file = readTables(findings, document.table, processes);
  return findings.errors.length > 0 ? { errors: findings.errors } : { file };
}

function failed(message: string): ReadAccessFile {
  return { errors: [{ line: 1, column: 1, message }] };
}

function decode(bytes: Uint8Array): string | { readonly line: number } {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    for (let line = 1, start = 0; ; line += 1) {
      const end = bytes.indexOf(0x0a, start);
      try {
        decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
      } catch {
        return { line };
      }
      if (end < 0) return { line };
      start = end + 1;
    }
  }
}

function readTables(findings: Findings, table: TomlTable, processes: number): AccessFile {
  refuseUnknownKeys(findings, [], table, ['issuers', 'grants', 'quotas'], 'an access file');
  const known = readIssuers(findings, table.issuers, processes);
  const grants = readGrants(findings, table.grants, known);
  const quotas = readQuotas(findings, table.quotas);
  for (const { message, ...place } of overlaps(grants)) findings.errorAt(place, message);
  warnOfUnused(findings, known.names, grants, [...quotas.keys()]);
  return { issuers: known.issuers, grants, quotas, warnings: findings.warnings };
}

function warnOfUnused(findings: Findings, issuers: readonly string[], grants: readonly FileGrant[], producers: readonly string[]): void {
  for (const name of issuers)
    if (!grants.some(({ holder }) => holder.kind === 'issuer' && holder.issuer === name))
      findings.warn(['issuers', name], `no grant is for the issuer ${shown(name)}: its tokens may do nothing`);
  const all = { actor: '', share: '', grants: grants.map(({ grant }) => grant) };
  if (allows(all, 'administer')) return;
  const written = scopeOf(all, 'write');
  const named = written === 'everything' ? [] : written.flatMap((pattern) => ('exact' in pattern ? [pattern.exact] : []));
  for (const producer of producers.filter((each) => !inScope(written, each)))
    findings.warn(
      ['quotas', producer],
      `no grant lets anybody write for ${shown(producer)}: only tokens of the server do${meant(producer, named)}`,
    );
}

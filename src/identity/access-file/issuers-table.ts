import { isTable } from '../../protocol/toml.ts';
import { type IssuerConfig, issuerDefaults, type SigningAlgorithm, signingAlgorithms } from '../oidc/issuer-config.ts';
import { issuerUrlFault, keysUrlFault } from '../oidc/issuer-url.ts';
import { readConsole } from './console-table.ts';
import { type Findings, shown } from './findings.ts';
import { readTable, refuseUnknownKeys, type TableReader } from './table-reader.ts';

const known = ['issuer', 'audience', 'jwks_url', 'ca_file', 'algorithms', 'maximum_age_seconds', 'single_use', 'console'];
const mostIssuers = 100;
const longestUrl = 2_048;
const longestLife = 86_400;

/** `[issuers.<name>]`. An issuer with a mistake is left out, and its name is kept for the grants. */
export function readIssuers(
  findings: Findings,
  value: unknown,
  processes: number,
): { readonly names: readonly string[]; readonly issuers: readonly IssuerConfig[] } {
  if (value === undefined) return { names: [], issuers: [] };
  if (!isTable(value)) {
    findings.error(['issuers'], 'issuers are tables of their own: [issuers.<name>]');
    return { names: [], issuers: [] };
  }
  const names = Object.keys(value);
  if (names.length > mostIssuers) findings.error(['issuers'], `there are ${names.length} issuers, and at most ${mostIssuers} are taken`);
  const issuers = names.flatMap((name) => readIssuer(findings, name, value[name], processes) ?? []);
  for (const [index, { name, issuer, audience }] of issuers.entries()) {
    const twin = issuers.slice(0, index).find((other) => other.issuer === issuer && other.audience === audience);
    if (twin !== undefined)
      findings.error(['issuers', name], `[issuers.${name}] has the issuer and the audience of [issuers.${twin.name}]: one table is enough`);
  }
  return { names, issuers };
}

function readIssuer(findings: Findings, name: string, table: unknown, processes: number): IssuerConfig | undefined {
  const path = ['issuers', name];
  const before = findings.errors.length;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    findings.error(path, `${shown(name)} is no name for an issuer: 1 to 64 letters, digits and . _ -`);
  if (!isTable(table)) {
    findings.error(path, `issuers.${name} must be a table: [issuers.${name}]`);
    return undefined;
  }
  refuseUnknownKeys(findings, path, table, known, `[issuers.${name}]`);
  const reader = readTable(findings, path, table);
  const issuer = urlAt(reader, 'issuer', issuerUrlFault);
  if (!reader.has('issuer')) findings.error(path, `[issuers.${name}] needs issuer: the address that its tokens have in "iss"`);
  if (Array.isArray(reader.value('audience')))
    reader.error('audience', 'audience is exactly one text: a token for others besides is refused');
  const audience = Array.isArray(reader.value('audience')) ? undefined : reader.text('audience', longestUrl);
  if (!reader.has('audience'))
    findings.error(path, `[issuers.${name}] needs audience: what tokens for this server have in "aud", mostly its address`);
  const caFile = reader.text('ca_file', 4_096);
  if (caFile !== undefined && !caFile.startsWith('/')) reader.error('ca_file', 'ca_file must be an absolute path');
  const config = {
    name,
    jwksUrl: urlAt(reader, 'jwks_url', keysUrlFault),
    caFile,
    algorithms: readAlgorithms(findings, reader) ?? issuerDefaults.algorithms,
    maximumAgeSeconds:
      reader.integer('maximum_age_seconds', { from: 1, to: longestLife, unit: 'seconds' }) ?? issuerDefaults.maximumAgeSeconds,
    singleUse: reader.boolean('single_use') ?? issuerDefaults.singleUse,
  };
  if (config.singleUse && processes > 1)
    reader.error('single_use', `single_use needs one process, which sees every use, and this server has ${processes} (--workers)`);
  const console = Object.hasOwn(table, 'console')
    ? readConsole(findings, table.console, { name, audience, singleUse: config.singleUse, processes })
    : undefined;
  if (issuer === undefined || audience === undefined || findings.errors.length > before) return undefined;
  return { ...config, issuer, audience, ...(console === undefined ? {} : { console }) };
}

function urlAt(reader: TableReader, key: string, faultOf: (text: string) => string | undefined): string | undefined {
  const text = reader.text(key, longestUrl);
  const fault = text === undefined ? undefined : faultOf(text);
  if (fault !== undefined) reader.error(key, `${key} ${fault}`);
  return text;
}

function readAlgorithms(findings: Findings, reader: TableReader): readonly SigningAlgorithm[] | undefined {
  return reader.list('algorithms', signingAlgorithms.length)?.flatMap((value, index) => {
    const found = signingAlgorithms.find((algorithm) => algorithm === value);
    if (found !== undefined) return [found];
    const why =
      typeof value === 'string' && /^(?:none|HS\d+)$/i.test(value)
        ? `${shown(value)} is never taken: whoever can check such a token could make one`
        : `${shown(value)} is no algorithm that is known here`;
    findings.error([...reader.path, 'algorithms', index], `${why}; write some of ${signingAlgorithms.join(', ')}`, 'value');
    return [];
  });
}

import { isTable } from '../../protocol/toml.ts';
import type { ConsoleClient } from '../oidc/issuer-config.ts';
import { issuerUrlFault } from '../oidc/issuer-url.ts';
import { type Findings, shown } from './findings.ts';
import { isText, readTable, refuseUnknownKeys } from './table-reader.ts';

const known = ['client_id', 'client_secret', 'url', 'label', 'scopes'];
const reference = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+|secret:.+)$/;

/** What the table around it says. */
export interface AroundConsole {
  readonly name: string;
  readonly audience: string | undefined;
  readonly singleUse: boolean;
  readonly processes: number;
}

/** `[issuers.<name>.console]`: how people sign in to the console by this issuer. */
export function readConsole(findings: Findings, table: unknown, around: AroundConsole): ConsoleClient | undefined {
  const { name, audience, singleUse, processes } = around;
  const path = ['issuers', name, 'console'];
  const where = `[issuers.${name}.console]`;
  if (!isTable(table)) {
    findings.error(path, `issuers.${name}.console must be a table: ${where}`);
    return undefined;
  }
  refuseUnknownKeys(findings, path, table, known, where);
  const reader = readTable(findings, path, table);
  const clientId = reader.text('client_id', 2_048);
  if (!reader.has('client_id')) findings.error(path, `${where} needs client_id: the client that the issuer knows this server as`);
  if (clientId !== undefined && audience !== undefined && clientId !== audience)
    reader.error(
      'client_id',
      `client_id must be the audience of its table, which is ${shown(audience)}: tokens of a sign-in are for their client alone. ` +
        'Where jobs have tokens for another audience, write a second table with the same issuer',
    );
  const url = reader.text('url', 2_048);
  if (!reader.has('url')) findings.error(path, `${where} needs url: the address at which browsers find this server`);
  const fault = url === undefined ? undefined : issuerUrlFault(url);
  if (fault !== undefined) reader.error('url', `url ${fault}`);
  const clientSecret = reader.text('client_secret', 4_096);
  if (clientSecret !== undefined && !reference.test(clientSecret))
    // What it says may be the secret itself.
    reader.error('client_secret', 'client_secret must be env:NAME, file:/absolute/path or secret:NAME; never the secret itself');
  if (singleUse) findings.error(path, `single_use and ${where} exclude each other: the token of a person counts for each request`);
  if (processes > 1)
    findings.error(path, `${where} needs one process, which knows who is signed in, and this server has ${processes} (--workers)`);
  const label = reader.text('label', 64) ?? name;
  const scopes = (reader.list('scopes', 20) ?? ['openid']).map(String);
  if (!scopes.every((scope) => isText(scope, 256) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) || !scopes.includes('openid'))
    reader.error('scopes', 'scopes must be names of scopes, with "openid" among them');
  return { url: url?.replace(/\/*$/, '/') ?? '', clientSecret, scopes, label };
}

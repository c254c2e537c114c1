import type { ProducerPattern, Role } from '../../kernel/access.ts';
import { isTable, type TomlPath } from '../../protocol/toml.ts';
import { type ActorTemplate, longestActor, parseActorTemplate } from '../grants/actor-template.ts';
import type { IssuerConfig } from '../oidc/issuer-config.ts';
import type { FileGrant, Holder } from './access-file.ts';
import { checkDocumented, checkOwner, readClaims } from './claims-table.ts';
import { type Findings, shown } from './findings.ts';
import { platformOf } from './platforms.ts';
import { isText, meant, readTable, refuseUnknownKeys, type TableReader } from './table-reader.ts';

const mostGrants = 10_000;
const mostProducers = 1_000;
const longestProducer = 256;
const holders = ['issuer', 'token_sha256', 'anonymous'] as const;
const known = [...holders, 'claims', 'actor', 'role', 'producers'];
const roles: readonly Role[] = ['reader', 'writer', 'keeper', 'admin'];

export interface KnownIssuers {
  readonly names: readonly string[];
  readonly issuers: readonly IssuerConfig[];
}

/** `[[grants]]`, each with who has it and what it gives. Those with a mistake are left out. */
export function readGrants(findings: Findings, value: unknown, issuers: KnownIssuers): readonly FileGrant[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every(isTable)) {
    findings.error(['grants'], 'grants are a list of tables: write [[grants]], with two brackets, before each');
    return [];
  }
  if (value.length > mostGrants) findings.error(['grants'], `there are ${value.length} grants, and at most ${mostGrants} are taken`);
  return value.flatMap((table, index): readonly FileGrant[] => {
    const path = ['grants', index];
    if (Object.hasOwn(table, 'token'))
      findings.error(
        [...path, 'token'],
        'no token belongs into this file: write token_sha256, which `printf %s "$TOKEN" | sha256sum` prints',
      );
    const { token: _token, ...others } = table;
    refuseUnknownKeys(findings, path, others, known, '[[grants]]');
    const reader = readTable(findings, path, table);
    const role = reader.oneOf('role', roles);
    if (!reader.has('role')) findings.error(path, `the grant needs role: one of ${roles.join(', ')}`);
    const producers = readProducers(findings, reader, role);
    const holder = readHolder(findings, reader, issuers);
    if (holder?.kind === 'anonymous' && role !== undefined && role !== 'reader')
      reader.error('role', `a grant for everybody can be that of a reader only, not of ${role === 'admin' ? 'an' : 'a'} ${role}`);
    if (role === undefined || producers === undefined || holder === undefined) return [];
    return [{ place: findings.placeOf(path), holder, grant: { role, producers } }];
  });
}

function readProducers(findings: Findings, reader: TableReader, role: Role | undefined): readonly ProducerPattern[] | undefined {
  const values = reader.list('producers', mostProducers);
  if (role === 'admin') {
    if (values !== undefined && !(values.length === 1 && values[0] === '*'))
      reader.error('producers', 'an admin may do everything, for all producers: leave producers out');
    return [{ glob: '*' }];
  }
  if (!reader.has('producers'))
    findings.error(reader.path, 'the grant needs producers: names, or patterns such as "acme-*"; all are ["*"]');
  const seen = new Set<unknown>();
  return values?.flatMap((value, index): readonly ProducerPattern[] => {
    const refuse = (message: string): readonly ProducerPattern[] => {
      findings.error([...reader.path, 'producers', index], message, 'value');
      return [];
    };
    if (typeof value !== 'string') return refuse(`a producer must be text, not ${shown(value)}`);
    if (!isText(value, longestProducer))
      return refuse(`${shown(value)} is no producer: 1 to ${longestProducer} characters, without control characters`);
    if (seen.has(value)) return refuse(`${shown(value)} is named twice`);
    seen.add(value);
    return [/[*?]/.test(value) ? { glob: value } : { exact: value }];
  });
}

function readHolder(findings: Findings, reader: TableReader, issuers: KnownIssuers): Holder | undefined {
  const given = holders.filter(reader.has);
  if (given.length !== 1) {
    const which = given.length === 0 ? 'says of nobody whose it is' : `says both ${given.join(' and ')}`;
    findings.error(reader.path, `the grant ${which}: it needs one of issuer, token_sha256 and anonymous`);
    return undefined;
  }
  const [kind] = given;
  if (kind === 'issuer') return readIssuerHolder(findings, reader, issuers);
  if (reader.has('claims')) reader.error('claims', 'claims are those of tokens that an issuer signed; this grant has no issuer', 'key');
  return kind === 'token_sha256' ? readTokenHolder(findings, reader) : readAnonymousHolder(reader);
}

function readIssuerHolder(findings: Findings, reader: TableReader, { names, issuers }: KnownIssuers): Holder | undefined {
  const issuer = reader.text('issuer', 64);
  if (issuer !== undefined && !names.includes(issuer))
    reader.error('issuer', `there is no [issuers.${issuer}] in this file${meant(issuer, names)}`);
  const config = issuers.find(({ name }) => name === issuer);
  const platform = config === undefined ? undefined : platformOf(config.issuer);
  if (!reader.has('claims')) findings.error(reader.path, 'the grant needs claims: without one it would hold for every token of the issuer');
  const at: TomlPath = [...reader.path, 'claims'];
  const conditions = reader.has('claims') ? readClaims(findings, at, reader.value('claims'), platform) : [];
  checkOwner(findings, at, conditions, platform);
  if (!reader.has('actor')) findings.error(reader.path, 'the grant needs actor: what the log records, such as "github:acme/app@{ref}"');
  const text = reader.text('actor', longestActor);
  const actor = text === undefined ? undefined : reader.parsed('actor', () => parseActorTemplate(text));
  for (const part of claimsOf(actor ?? [])) checkDocumented(findings, [...reader.path, 'actor'], part, platform);
  return issuer === undefined || actor === undefined || conditions.length === 0 ? undefined : { kind: 'issuer', issuer, conditions, actor };
}

function claimsOf(template: ActorTemplate) {
  return template.filter((part) => typeof part !== 'string');
}

function readTokenHolder(findings: Findings, reader: TableReader): Holder | undefined {
  const value = reader.value('token_sha256');
  const digest = typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value) ? value.toLowerCase() : undefined;
  // What was written could be the token itself: it is not shown.
  if (digest === undefined)
    reader.error('token_sha256', 'token_sha256 must be 64 hex digits, as `printf %s "$TOKEN" | sha256sum` prints them');
  if (digest === emptyDigest) reader.error('token_sha256', 'token_sha256 is the digest of an empty text: was a variable not set?');
  if (!reader.has('actor')) findings.error(reader.path, 'the grant of a token needs actor: the name that the log records');
  const actor = reader.text('actor', 128);
  if (actor !== undefined && !/^[\p{L}\p{N}][\p{L}\p{N} ._:@/+-]*$/u.test(actor))
    reader.error('actor', 'the actor of a token must be letters, digits, spaces and . _ : @ / + -, a letter or a digit first');
  return digest === undefined || actor === undefined ? undefined : { kind: 'token', digest, actor };
}

const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function readAnonymousHolder(reader: TableReader): Holder | undefined {
  const anonymous = reader.boolean('anonymous');
  if (anonymous === false) reader.error('anonymous', 'anonymous is true or left out');
  if (reader.has('actor')) reader.error('actor', 'whoever has no token has no name: leave actor out', 'key');
  return anonymous === true ? { kind: 'anonymous' } : undefined;
}

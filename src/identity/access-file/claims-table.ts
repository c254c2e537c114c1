import { isTable, type TomlPath } from '../../protocol/toml.ts';
import { type ClaimName, parseClaimName } from '../grants/claim-name.ts';
import type { Condition, Wanted } from '../grants/conditions.ts';
import { type Findings, shown } from './findings.ts';
import type { Platform } from './platforms.ts';
import { isText, meant } from './table-reader.ts';

const mostConditions = 32;
const mostValues = 1_000;
const longestValue = 1_024;

/** What each issuer's table fixes already. */
const registered = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];

/** `claims = { … }`: what a token has to say. All of it must hold. */
export function readClaims(findings: Findings, path: TomlPath, value: unknown, platform: Platform | undefined): readonly Condition[] {
  if (!isTable(value)) {
    findings.error(path, `claims must be a table, such as { repository_id = "12345" }, not ${shown(value)}`, 'value');
    return [];
  }
  const names = Object.keys(value);
  if (names.length === 0 || names.length > mostConditions)
    findings.error(path, `claims must name 1 to ${mostConditions} claims: a grant without one would hold for every token of the issuer`);
  const seen = new Set<string>();
  return names.flatMap((text) => {
    const at = [...path, text];
    const claim = readName(findings, at, text, platform);
    if (claim === undefined) return [];
    const steps = JSON.stringify(claim.steps);
    if (seen.has(steps)) findings.error(at, `the claim ${shown(text)} is named twice: write its values as a list`);
    seen.add(steps);
    const anyOf = readWanted(findings, at, value[text], claim, platform);
    return anyOf.length === 0 ? [] : [{ claim, anyOf }];
  });
}

function readName(findings: Findings, at: TomlPath, text: string, platform: Platform | undefined): ClaimName | undefined {
  try {
    const claim = parseClaimName(text);
    const [first = ''] = claim.steps;
    if (registered.includes(first)) {
      const hint =
        first === 'iss' || first === 'aud' ? `issuer and audience of [issuers.<name>] fix it` : 'it differs in each token, and is checked';
      findings.error(at, `the claim "${first}" is nothing to bind: ${hint}`);
      return undefined;
    }
    checkDocumented(findings, at, claim, platform);
    return claim;
  } catch (fault) {
    findings.error(at, `${shown(text)} names no claim: ${(fault as Error).message}`);
    return undefined;
  }
}

/** A claim that the platform does not document is a slip where a documented one is near, and else perhaps a new one. */
export function checkDocumented(
  findings: Findings,
  at: TomlPath,
  { steps: [first = ''] }: ClaimName,
  platform: Platform | undefined,
): void {
  if (platform === undefined || platform.claims.includes(first)) return;
  const near = meant(first, platform.claims);
  if (near !== '') findings.error(at, `${platform.name} gives no claim ${shown(first)}${near}`);
  else findings.warn(at, `${platform.name} does not document a claim ${shown(first)}: without it in the token, the grant does not hold`);
}

function readWanted(findings: Findings, at: TomlPath, value: unknown, claim: ClaimName, platform: Platform | undefined): readonly Wanted[] {
  if (!Array.isArray(value)) return readOne(findings, at, value, claim, platform);
  const values = value as readonly unknown[];
  if (values.length === 0 || values.length > mostValues)
    findings.error(at, `the list of ${shown(claim.text)} must have 1 to ${mostValues} values, any of which is enough`, 'value');
  return values.flatMap((each, index) => readOne(findings, [...at, index], each, claim, platform));
}

function readOne(findings: Findings, at: TomlPath, value: unknown, claim: ClaimName, platform: Platform | undefined): readonly Wanted[] {
  const refuse = (message: string): readonly Wanted[] => {
    findings.error(at, message, 'value');
    return [];
  };
  const { text: name } = claim;
  const [first = ''] = claim.steps;
  if (isTable(value)) {
    const { glob, ...rest } = value;
    const [other] = Object.keys(rest);
    if (typeof glob !== 'string' || Object.keys(rest).length > 0)
      return refuse(
        `${shown(name)} must be text, a number, true, false, a list of these, or { glob = "…" }` +
          `${other === undefined ? '' : `, not { ${other.length > 40 ? '…' : other} = … }`}; ` +
          'a claim within a claim is named by a JSON pointer in quotes, such as "/kubernetes.io/namespace"',
      );
    if (!isText(glob, longestValue)) return refuse(`the glob must have 1 to ${longestValue} characters, and no control characters`);
    if (!/[*?]/.test(glob)) return refuse(`${shown(glob)} has neither * nor ?: write it as text, without { glob = … }`);
    if (first === 'sub')
      return refuse(
        `no parts of "sub" can be bound: its form is the platform's, and changes. Bind ${platform?.advice ?? 'claims that hold an id'}, ` +
          'or the whole of "sub"',
      );
    if (platform?.ownerIds.includes(first)) return refuse(`${shown(name)} is a number that means nothing in parts: write it whole`);
    return [{ glob }];
  }
  if (typeof value === 'string') {
    if (!isText(value, longestValue)) return refuse(`${shown(name)} must have 1 to ${longestValue} characters, and no control characters`);
    if (/[*?]/.test(value))
      return refuse(`${shown(value)} is no text to be compared: write { glob = ${shown(value)} } if a pattern is meant`);
    return [{ exact: value }];
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    if (platform?.claims.includes(first) && !platform.otherKinds.includes(first))
      return refuse(`${platform.name} gives ${shown(name)} as text: write ${shown(String(value))}, in quotes`);
    if (typeof value === 'number' && !Number.isFinite(value)) return refuse(`${shown(name)} must be a number that there is`);
    return [{ exact: value }];
  }
  if (typeof value === 'bigint')
    return refuse(`${shown(value)} is beyond what JSON numbers carry exactly; is it text? Then write it in quotes`);
  return refuse(`${shown(name)} must be text, a number, true, false, a list of these, or { glob = "…" }, not ${shown(value)}`);
}

/**
 * At a platform for everybody a grant has to say whose it is: without an owner, or with a pattern that others can make
 * their name fit, it would hold for strangers.
 */
export function checkOwner(findings: Findings, path: TomlPath, conditions: readonly Condition[], platform: Platform | undefined): void {
  if (platform === undefined || conditions.length === 0) return;
  const bound = conditions.filter(({ claim, anyOf }) => {
    const [first = ''] = claim.steps;
    const isName = platform.ownerIds.includes(first) || platform.ownerNames.includes(first) || first === 'sub';
    const isPath = platform.ownerPaths.includes(first);
    return anyOf.every((wanted) => ('exact' in wanted ? isName || isPath : isPath && /^[^*?/]+\//.test(wanted.glob)));
  });
  const byId = bound.some(({ claim }) => platform.ownerIds.includes(claim.steps[0] ?? ''));
  if (bound.length === 0)
    findings.error(path, `these claims hold for jobs of anybody at ${platform.name}: bind ${platform.advice} as well`);
  else if (!byId) findings.warn(path, `names can pass to somebody else, ids never do: bind ${platform.advice} as well`);
}

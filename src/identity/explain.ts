import { hash } from 'node:crypto';
import { type Grant, type Right, rightsOf } from '../kernel/access.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { JsonObject } from '../kernel/format/json-value.ts';
import type { AccessFile, FileGrant, IssuerHolder } from './access-file/access-file.ts';
import { shown } from './access-file/findings.ts';
import { renderActor } from './grants/actor-template.ts';
import { claimOf } from './grants/claim-name.ts';
import { type Condition, holds, type Wanted } from './grants/conditions.ts';
import { audienceOf, checkClaims } from './oidc/claim-rules.ts';
import type { IssuerConfig } from './oidc/issuer-config.ts';
import { hasTokenForm, readToken } from './oidc/read-token.ts';

/** What an access file makes of somebody, and why. Nothing in it is secret: claims are, the token is not there. */
export interface Explanation {
  readonly by: string;
  /** Null where no grant holds, or where a claim for it is missing. */
  readonly actor: string | null;
  /** Why a server would not take the token as it is, whatever its grants; null where nothing is against it. */
  readonly refused: string | null;
  /** Those that hold first, then those that miss the fewest claims. */
  readonly grants: readonly ExplainedGrant[];
  /** Empty where nothing is allowed. */
  readonly may: readonly { readonly right: Right; readonly producers: readonly string[] }[];
}

export interface ExplainedGrant {
  readonly line: number;
  readonly role: string;
  readonly producers: readonly string[];
  readonly holds: boolean;
  readonly claims: readonly ExplainedClaim[];
}

export interface ExplainedClaim {
  readonly claim: string;
  readonly wanted: string;
  readonly got: string;
  readonly holds: boolean;
}

/**
 * Of a token: one of the file's own, or one that an issuer signed, whose signature is not looked at. Throws
 * `unauthorized` where it is neither, or of no issuer of the file.
 */
export function explainToken(file: AccessFile, token: string, now: number): Explanation {
  const digest = hash('sha256', token);
  const own = file.grants.flatMap((each) =>
    each.holder.kind === 'token' && each.holder.digest === digest ? [{ each, holder: each.holder }] : [],
  );
  if (own[0] !== undefined) {
    const grants = own.map(({ each }) => each);
    return {
      by: 'token of the access file',
      actor: own[0].holder.actor,
      refused: null,
      grants: grants.map(plain),
      may: mayOf(file, grants),
    };
  }
  if (!hasTokenForm(token))
    throw new ArtifactstoreError(
      'unauthorized',
      'The token is none of the access file, and none that an issuer signed, which has three parts with a "." between them.',
      { info: { hint: 'a token of ARTIFACTSTORE_AUTH_TOKENS is not in the file, and may do everything' } },
    );
  const { claims, algorithm } = readToken(token);
  const config = issuerOf(file, claims);
  const wrong = config.algorithms.some((each) => each === algorithm)
    ? refusalOf(claims, config, now)
    : `it is signed with ${shown(algorithm)}, and the issuer may use ${config.algorithms.join(', ')} only`;
  return explain(file, claims, config, wrong);
}

/** The same of claims alone, which may be a sample: of the audience and the times, what is there is looked at. */
export function explainClaims(file: AccessFile, claims: JsonObject): Explanation {
  const config = issuerOf(file, claims);
  const { iat, exp } = claims;
  const sample = {
    ...claims,
    iss: claims.iss ?? config.issuer,
    aud: claims.aud ?? config.audience,
    iat: iat ?? (typeof exp === 'number' ? exp - 1 : 0),
    exp: exp ?? (typeof iat === 'number' ? iat + 1 : 1),
  };
  return explain(file, claims, config, refusalOf(sample, config, Number(sample.iat) * 1000));
}

function issuerOf({ issuers }: AccessFile, claims: JsonObject): IssuerConfig {
  const { iss } = claims;
  const [only, ...others] = issuers;
  const ofIssuer = iss === undefined && others.length === 0 ? issuers : issuers.filter(({ issuer }) => issuer === iss);
  const found = ofIssuer.find(({ audience }) => audience === audienceOf(claims)) ?? ofIssuer[0];
  if (found !== undefined) return found;
  const known = only === undefined ? 'the file has none' : `the file has ${issuers.map(({ issuer }) => shown(issuer)).join(', ')}`;
  throw new ArtifactstoreError(
    'unauthorized',
    iss === undefined
      ? `The claims do not say whose they are ("iss"): ${known}.`
      : `The issuer ${shown(iss)} is not in the access file: ${known}.`,
    { info: { hint: 'it must be the same to the last character, with or without a / at the end' } },
  );
}

function refusalOf(claims: JsonObject, config: IssuerConfig, now: number): string | null {
  try {
    checkClaims(claims, config, [config.audience], now);
    return null;
  } catch (error) {
    if (isArtifactstoreError(error, 'unauthorized')) return error.message.replace(/^The token is refused: |\.$/g, '');
    throw error;
  }
}

function explain(file: AccessFile, claims: JsonObject, { name }: IssuerConfig, refused: string | null): Explanation {
  const own = file.grants.flatMap((each) =>
    each.holder.kind === 'issuer' && each.holder.issuer === name
      ? [{ each, holder: each.holder, explained: explainGrant(each, each.holder, claims) }]
      : [],
  );
  const holding = own.filter(({ explained }) => explained.holds);
  const [first] = holding;
  const rendered = first === undefined ? undefined : renderActor(first.holder.actor, claims);
  const missing =
    rendered !== undefined && 'missing' in rendered
      ? `it has no text or number in the claim ${shown(rendered.missing)}, of which the grant at line ${first?.each.place.line} makes the actor`
      : null;
  const missed = ({ claims: wanted }: ExplainedGrant): number => wanted.filter((claim) => !claim.holds).length;
  return {
    by: `issuer ${name}`,
    actor: rendered !== undefined && 'actor' in rendered ? rendered.actor : null,
    refused: refused ?? missing,
    grants: own.map(({ explained }) => explained).sort((a, b) => missed(a) - missed(b)),
    may: mayOf(
      file,
      holding.map(({ each }) => each),
    ),
  };
}

function plain({ grant, place }: FileGrant): ExplainedGrant {
  return { line: place.line, role: grant.role, producers: producersOf(grant), holds: true, claims: [] };
}

function explainGrant(grant: FileGrant, { conditions }: IssuerHolder, claims: JsonObject): ExplainedGrant {
  const explained = conditions.map((condition) => explainClaim(condition, claims));
  return { ...plain(grant), holds: explained.every((claim) => claim.holds), claims: explained };
}

function explainClaim(condition: Condition, claims: JsonObject): ExplainedClaim {
  const value = claimOf(claims, condition.claim);
  return {
    claim: condition.claim.text,
    wanted: condition.anyOf.map(wantedText).join(' or '),
    got: value === undefined ? 'nothing' : shown(value),
    holds: holds(condition, claims),
  };
}

function wantedText(wanted: Wanted): string {
  return 'exact' in wanted ? shown(wanted.exact) : `glob ${shown(wanted.glob)}`;
}

function producersOf({ producers }: Grant): readonly string[] {
  return producers.map((producer) => ('glob' in producer ? producer.glob : producer.exact));
}

/** With what everybody may do, as a server adds it to those whom it knows. */
function mayOf(file: AccessFile, own: readonly FileGrant[]): Explanation['may'] {
  const grants = own.length === 0 ? [] : [...own, ...file.grants.filter(({ holder }) => holder.kind === 'anonymous')];
  const rights: readonly Right[] = ['read', 'write', 'keep', 'observe', 'administer'];
  return rights.flatMap((right) => {
    const giving = grants.filter(({ grant }) => rightsOf[grant.role].includes(right));
    const producers = [...new Set(giving.flatMap(({ grant }) => producersOf(grant)))];
    return giving.length === 0 ? [] : [{ right, producers }];
  });
}

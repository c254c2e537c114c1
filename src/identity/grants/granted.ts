import { hash, timingSafeEqual } from 'node:crypto';
import type { Grant } from '../../kernel/access.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { AccessFile, FileGrant, IssuerHolder, TokenHolder } from '../access-file/access-file.ts';
import type { Identified } from '../IDENTITY.ts';
import type { VerifiedToken } from '../oidc/OIDC.ts';
import { renderActor } from './actor-template.ts';
import { allHold } from './conditions.ts';
import { type ConditionIndex, indexByConditions, valuesIn } from './grant-index.ts';

/** What one version of the access file grants to whom. What was found is kept with it, and goes with it. */
export interface Granted {
  /** Undefined where no grant has this token. */
  toToken(token: string): Identified | undefined;
  /** Throws `forbidden` where no grant holds, or where the token does not have what the actor is made of. */
  toClaims(verified: VerifiedToken): Identified;
  readonly toAnonymous: readonly Grant[];
}

export function createGranted({ grants }: AccessFile): Granted {
  const tokens = tokensIn(grants);
  const issuers = issuersIn(grants);
  /** By the token as it was verified: kept as long as that is. */
  const found = new WeakMap<VerifiedToken, Identified>();
  /** Those for which no grant holds: looking for one again takes as long as the grants are many. */
  const refused = new WeakMap<VerifiedToken, unknown>();
  return {
    toToken(token) {
      const digest = hash('sha256', token, 'buffer');
      let identified: Identified | undefined;
      for (const each of tokens.get(prefixOf(digest)) ?? []) if (timingSafeEqual(each.digest, digest)) identified = each.identified;
      return identified;
    },
    toClaims(verified) {
      const known = found.get(verified);
      if (known !== undefined) return known;
      if (refused.has(verified)) throw refused.get(verified);
      try {
        const identified = identify(verified, issuers.get(verified.issuer));
        found.set(verified, identified);
        return identified;
      } catch (error) {
        refused.set(verified, error);
        throw error;
      }
    },
    toAnonymous: grants.filter(({ holder }) => holder.kind === 'anonymous').map(({ grant }) => grant),
  };
}

interface KnownToken {
  readonly digest: Buffer;
  readonly identified: Identified;
}

/**
 * By the first four bytes of the digests, so that a thousand need not be compared. The time taken can tell these bytes
 * of a digest at most, and nothing of a token.
 */
function tokensIn(grants: readonly FileGrant[]): ReadonlyMap<number, readonly KnownToken[]> {
  const byDigest = new Map<string, { readonly holder: TokenHolder; readonly grants: Grant[] }>();
  for (const { holder, grant } of grants) {
    if (holder.kind !== 'token') continue;
    const known = byDigest.get(holder.digest) ?? { holder, grants: [] };
    byDigest.set(holder.digest, known);
    known.grants.push(grant);
  }
  const tokens = new Map<number, KnownToken[]>();
  for (const { holder, grants: given } of byDigest.values()) {
    const digest = Buffer.from(holder.digest, 'hex');
    const principal = { actor: holder.actor, share: shareOf(holder.actor), grants: given };
    const known = { digest, identified: { principal, by: 'token of the access file', expiresAt: null } };
    tokens.set(prefixOf(digest), [...(tokens.get(prefixOf(digest)) ?? []), known]);
  }
  return tokens;
}

function prefixOf(digest: Buffer): number {
  return digest.readUInt32BE(0);
}

function shareOf(actor: string): string {
  return `actor ${actor}`;
}

export interface IssuerGrant extends IssuerHolder {
  readonly grant: Grant;
  readonly line: number;
}

function issuersIn(grants: readonly FileGrant[]): ReadonlyMap<string, ConditionIndex<IssuerGrant>> {
  const byIssuer = new Map<string, IssuerGrant[]>();
  for (const { holder, grant, place } of grants) {
    if (holder.kind !== 'issuer') continue;
    const own = byIssuer.get(holder.issuer) ?? [];
    byIssuer.set(holder.issuer, own);
    own.push({ ...holder, grant, line: place.line });
  }
  return new Map([...byIssuer].map(([issuer, own]) => [issuer, indexByConditions(own)]));
}

function identify({ issuer, claims, expiresAt }: VerifiedToken, index: ConditionIndex<IssuerGrant> | undefined): Identified {
  const holding = (index?.candidates(valuesIn(claims)) ?? []).filter(({ conditions }) => allHold(conditions, claims));
  const [first] = holding;
  if (first === undefined)
    throw new ArtifactstoreError(
      'forbidden',
      `The token of the issuer "${issuer}" is valid, and no grant of the access file holds for it.`,
      {
        info: { issuer, hint: explainHint },
      },
    );
  const rendered = renderActor(first.actor, claims);
  if ('missing' in rendered)
    throw new ArtifactstoreError(
      'forbidden',
      `The token of the issuer "${issuer}" has no text or number in the claim "${rendered.missing}", of which the grant at line ${first.line} makes the actor.`,
      { info: { issuer, claim: rendered.missing, hint: explainHint } },
    );
  const { actor } = rendered;
  const principal = { actor, share: shareOf(actor), grants: holding.map(({ grant }) => grant) };
  return { principal, by: `issuer ${issuer}`, expiresAt };
}

const explainHint =
  '`artifactstore access check --token-file <file>` beside the access file says which claims each grant wants, and what the token has';

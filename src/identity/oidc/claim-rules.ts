import type { JsonObject, JsonValue } from '../../kernel/format/json-value.ts';
import type { IssuerConfig } from './issuer-config.ts';
import { quoted, refused } from './refusal.ts';

/** How far the issuer's clock may be ahead of this one (`iat`, `nbf`). `exp` has none. */
const leewaySeconds = 60;
/** The same where a token counts once: what was used before a start must be told from what was issued after it. */
export const singleUseLeewaySeconds = 5;

export interface Times {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The one audience of a token: a string, or a list of just one. Undefined for anything else. */
export function audienceOf({ aud }: JsonObject): string | undefined {
  const audience = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  return typeof audience === 'string' ? audience : undefined;
}

/**
 * Whether what a token claims of itself holds for this table at `now` (RFC 7519 section 4.1, RFC 8725 section 3);
 * answers its times. `audiences` are those of all tables of its issuer. Errors: `unauthorized`, with the rule.
 */
export function checkClaims(claims: JsonObject, config: IssuerConfig, audiences: readonly string[], now: number): Times {
  if (claims.iss !== config.issuer) throw refused(`its issuer is not ${quoted(config.issuer)}`);
  checkAudience(claims, audiences);
  // RFC 7800: it counts only together with a proof of the key, which a bearer token is not.
  if (claims.cnf !== undefined) throw refused('it is bound to a key of its holder ("cnf"), which is not asked for here');

  const leeway = (config.singleUse ? singleUseLeewaySeconds : leewaySeconds) * 1000;
  const expiresAt = timeOf(claims, 'exp');
  const issuedAt = timeOf(claims, 'iat');
  const notBefore = claims.nbf === undefined ? issuedAt : timeOf(claims, 'nbf');
  if (expiresAt <= now) throw refused(`it expired at ${said(expiresAt)}, and it is ${said(now)}`);
  if (issuedAt > now + leeway) throw refused(`it was issued in the future, at ${said(issuedAt)} ("iat"), and it is ${said(now)}`);
  if (notBefore > now + leeway) throw refused(`it is not valid before ${said(notBefore)} ("nbf"), and it is ${said(now)}`);
  if (expiresAt - issuedAt > config.maximumAgeSeconds * 1000)
    throw refused(
      `from "iat" to "exp" it lives ${(expiresAt - issuedAt) / 1000} s, and at most ${config.maximumAgeSeconds} s are allowed ` +
        `(maximum_age_seconds of the issuer "${config.name}")`,
    );
  return { issuedAt, expiresAt };
}

function checkAudience(claims: JsonObject, audiences: readonly string[]): void {
  const audience = audienceOf(claims);
  if (audience !== undefined && audiences.includes(audience)) return;
  const has = audience === undefined ? described(claims.aud) : `is ${quoted(audience)}`;
  throw refused(`its audience ("aud") ${has}, and has to be ${audiences.map(quoted).join(' or ')} alone`);
}

function described(aud: JsonValue | undefined): string {
  if (aud === undefined) return 'is missing';
  if (!Array.isArray(aud)) return 'is not a string';
  const some = aud.slice(0, 5).map((each) => quoted(String(each)));
  return `is a list of ${aud.length} (${[...some, ...(aud.length > some.length ? ['…'] : [])].join(', ')})`;
}

/** NumericDate (RFC 7519, section 2), up to the year 9999. */
function timeOf(claims: JsonObject, name: string): number {
  const seconds = claims[name];
  if (seconds === undefined) throw refused(`it has no "${name}"`);
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds < 253_402_300_800))
    throw refused(`its "${name}" is not a time in seconds since 1970`);
  return seconds * 1000;
}

function said(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+/, '');
}

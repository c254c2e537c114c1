import type { JsonObject } from '../../kernel/format/json-value.ts';
import { singleUseLeewaySeconds, type Times } from './claim-rules.ts';
import { refused, unavailable } from './refusal.ts';
import type { UsedTokens } from './used-tokens.ts';

/**
 * Counts the use of a verified token whose issuer `name` asks for single use. Nothing is known of what was used before
 * `used` was begun, so a token that is older than that may have been, and is refused: also the few seconds that the
 * issuer's clock may be ahead. Errors: `unauthorized`; `identity_unavailable` when no more can be kept in mind.
 */
export function countUse(used: UsedTokens, name: string, claims: JsonObject, { issuedAt, expiresAt }: Times, now: number): void {
  const { jti } = claims;
  if (typeof jti !== 'string' || jti === '') throw refused(`it has no "jti", and single_use of the issuer "${name}" needs one`);
  if (issuedAt < used.since + singleUseLeewaySeconds * 1000)
    throw refused("it is older than this server, which can't know whether it was used before: ask for a new one");
  const use = used.take(jti, expiresAt, now);
  if (use === 'again') throw refused('it was used before, and each counts once: ask for a new one');
  if (use === 'full') throw unavailable(name, 'more of its tokens were used, and have not ended, than this server can keep in mind');
}

import { hash, timingSafeEqual } from 'node:crypto';
import { administrator } from '../kernel/access.ts';
import type { Identified } from './IDENTITY.ts';

/** A bearer token (RFC 6750) of `ARTIFACTSTORE_AUTH_TOKENS`, and who acts with it. */
export interface BearerToken {
  readonly token: string;
  readonly actor: string;
}

/**
 * Finds whose token it is; undefined for nobody's. Tokens are kept and compared as SHA-256 digests, every one of them
 * each time, so that the time taken says nothing of them. Such a token may do everything.
 */
export function createServerTokens(tokens: readonly BearerToken[]): (token: string) => Identified | undefined {
  const known = tokens.map(({ token, actor }) => ({
    digest: hash('sha256', token, 'buffer'),
    identified: { principal: administrator(actor), by: 'token of the server', expiresAt: null },
  }));
  return (token) => {
    const digest = hash('sha256', token, 'buffer');
    let found: Identified | undefined;
    for (const { digest: own, identified } of known) if (timingSafeEqual(own, digest)) found = identified;
    return found;
  };
}

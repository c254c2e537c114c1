import { hash, timingSafeEqual } from 'node:crypto';
import { ArtifactstoreError } from '../../kernel/error.ts';

/** A bearer token (RFC 6750) and who acts with it. */
export interface BearerToken {
  readonly token: string;
  readonly actor: string;
}

/** What a route asks of its caller; `optional` is open to everybody, and tells more to those with a token. */
export type Access = 'anonymous' | 'optional' | 'read' | 'write';

export interface AuthOptions {
  readonly tokens: readonly BearerToken[];
  /** Opens `read` routes to callers without a token. A wrong token is still refused. */
  readonly anonymousRead: boolean;
}

/**
 * Who a request acts as, from its Authorization field, undefined for nobody in particular; `unauthorized` when that is
 * not enough for the route. Tokens are kept and compared as SHA-256 digests, every one of them each time, so that the
 * time taken says nothing of them.
 */
export function createAuthenticator(options: AuthOptions): (authorization: string | undefined, access: Access) => string | undefined {
  const known = options.tokens.map(({ token, actor }) => ({ digest: hash('sha256', token, 'buffer'), actor }));
  return (authorization, access) => {
    if (authorization === undefined) {
      if (access === 'anonymous' || access === 'optional' || (access === 'read' && options.anonymousRead)) return undefined;
      throw new ArtifactstoreError('unauthorized', 'This route needs a bearer token: send "Authorization: Bearer <token>".', {
        field: 'authorization',
      });
    }
    if (access === 'anonymous') return undefined;
    const token = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization)?.[1];
    const digest = token === undefined ? undefined : hash('sha256', token, 'buffer');
    let actor: string | undefined;
    for (const one of known) if (digest !== undefined && timingSafeEqual(one.digest, digest)) actor = one.actor;
    if (actor === undefined && access === 'optional') return undefined;
    if (actor === undefined)
      throw new ArtifactstoreError('unauthorized', 'The bearer token is not one that this server knows.', { field: 'authorization' });
    return actor;
  };
}

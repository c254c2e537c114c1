import type { Identity } from '../../../../src/identity/IDENTITY.ts';
import type { Principal } from '../../../../src/kernel/access.ts';
import { ArtifactstoreError } from '../../../../src/kernel/error.ts';

/** Whoever was given a token, from then on. */
export interface Principals {
  readonly identity: Identity;
  /** The token of a principal. */
  tokenOf(principal: Principal): string;
}

export function createPrincipals(): Principals {
  const known = new Map<string, Principal>();
  return {
    identity: {
      identify(token) {
        const principal = known.get(token);
        if (principal === undefined) throw new ArtifactstoreError('unauthorized', 'Nobody has this token.', { field: 'authorization' });
        return { principal, by: 'test', expiresAt: null };
      },
      anonymous: [],
      quotaOf: () => undefined,
      status: () => undefined,
      async [Symbol.asyncDispose]() {},
    },
    tokenOf(principal) {
      const token = `token-${known.size}-of-a-principal`;
      known.set(token, principal);
      return token;
    },
  };
}

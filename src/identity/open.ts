import { ArtifactstoreError } from '../kernel/error.ts';
import type { Identity } from './IDENTITY.ts';
import { type BearerToken, createServerTokens } from './server-tokens.ts';

export interface IdentityOptions {
  readonly tokens: readonly BearerToken[];
}

/** Everybody whom the configuration knows. */
export async function openIdentity({ tokens }: IdentityOptions): Promise<Identity> {
  const ofServer = createServerTokens(tokens);
  return {
    identify(token) {
      const known = ofServer(token);
      if (known !== undefined) return known;
      throw new ArtifactstoreError('unauthorized', 'The bearer token is not one that this server knows.', { field: 'authorization' });
    },
    anonymous: [],
    quotaOf: () => undefined,
    status: () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

import { hash } from 'node:crypto';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Identified, Identity } from './IDENTITY.ts';
import { createOidc } from './oidc/verifier.ts';
import { type AccessFileOptions, openAccessFile } from './open-access-file.ts';
import { type BearerToken, createServerTokens } from './server-tokens.ts';
import type { ReadReference } from './sign-in/client.ts';
import { createSignIn } from './sign-in/sign-in.ts';

export interface IdentityOptions {
  readonly tokens: readonly BearerToken[];
  /** Where there is none, only those with a token of the server are known. */
  readonly accessFile?: AccessFileOptions;
  /** Where the secrets of clients are, which the access file refers to; none can be read where absent. */
  readonly readReference?: ReadReference;
}

/**
 * Everybody whom the configuration knows. Throws `invalid_configuration` with everything that is wrong with the access
 * file; a bad version of it that comes later is not taken.
 */
export async function openIdentity({ tokens, accessFile, readReference = noReference }: IdentityOptions): Promise<Identity> {
  const ofServer = createServerTokens(tokens);
  await using opened = new AsyncDisposableStack();
  const oidc = createOidc({ now: Date.now });
  opened.defer(() => oidc.close());
  const serverTokens = new Set(tokens.map(({ token }) => hash('sha256', token)));
  const file = accessFile === undefined ? undefined : opened.use(await openAccessFile(accessFile, { oidc, serverTokens }));
  const parts = opened.move();
  function identify(token: string): Identified | Promise<Identified> {
    const known = ofServer(token) ?? file?.identify(token);
    if (known !== undefined) return known;
    throw new ArtifactstoreError('unauthorized', 'The bearer token is not one that this server knows.', { field: 'authorization' });
  }
  return {
    identify,
    ...(file === undefined ? {} : { signIn: createSignIn({ issuers: () => file.issuers, identify, readReference, now: Date.now }) }),
    get anonymous() {
      return file?.anonymous ?? none;
    },
    quotaOf: (producer) => file?.quotaOf(producer),
    status: () => file?.status(),
    isSecret: (text) => file?.isSecret(text) ?? false,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

const noReference: ReadReference = async (reference) => ({ problem: `${reference} cannot be read here` });
const none: Identity['anonymous'] = [];

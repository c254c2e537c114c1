import type { Identity } from '../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../src/identity/open.ts';
import type { Grant } from '../../src/kernel/access.ts';
import { ArtifactstoreError } from '../../src/kernel/error.ts';
import { actor, token } from '../doors/rest/open-door.ts';

export const narrowToken = 'a-narrow-token-0123456789';
/** Of the same person, and not ended with it. */
export const renewedToken = 'a-renewed-token-0123456789';
/** A name that would be a script, were it not shown as a text. */
export const evilName = '<img src=x onerror=alert(1)>';

export interface NarrowIdentity extends Identity {
  /** The narrow token is refused from now on. */
  end(): void;
}

/** The usual token of tests, which may do everything, and one that has these grants and an evil name. */
export async function narrowIdentity(...grants: readonly Grant[]): Promise<NarrowIdentity> {
  const ofServer = await openIdentity({ tokens: [{ token, actor }] });
  const principal = { actor: evilName, share: 'narrow', grants };
  let ended = false;
  return {
    ...ofServer,
    identify(shown) {
      if (shown !== narrowToken && shown !== renewedToken) return ofServer.identify(shown);
      if (ended && shown === narrowToken) throw new ArtifactstoreError('unauthorized', 'The token has expired.');
      return { principal, by: 'token of the test', expiresAt: null };
    },
    end() {
      ended = true;
    },
  };
}

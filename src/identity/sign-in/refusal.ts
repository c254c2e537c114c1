import { ArtifactstoreError } from '../../kernel/error.ts';
import type { SignInRefusal } from '../IDENTITY.ts';

/** `unauthorized`. No cause: what an issuer answered may hold a code or a token. */
export function signInRefused(why: SignInRefusal, reason: string): ArtifactstoreError {
  return new ArtifactstoreError('unauthorized', `Signing in failed: ${reason}.`, { info: { sign_in: why } });
}

/** `identity_unavailable`: nothing is known of who asks. */
export function signInUnavailable(issuer: string, reason: string): ArtifactstoreError {
  return new ArtifactstoreError('identity_unavailable', `Nobody can sign in by the issuer "${issuer}" now: ${reason}.`);
}

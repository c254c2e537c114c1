import { ArtifactstoreError } from '../kernel/error.ts';

export type AuthorityFault =
  | 'malformed'
  | 'expired'
  | 'not_yet_valid'
  | 'disabled'
  | 'unknown'
  | 'address_restricted'
  | 'same_subject'
  | 'other_account';

/** What was given is not repeated: a token in its place would be said. */
export const notAnAccount = 'What --account gives is not an account id, and is not repeated: it may be the authority itself';

/** `what` is a whole sentence without its full stop; `hint` is what to do. */
export function unusableAuthority(fault: AuthorityFault, what: string, hint: string): ArtifactstoreError {
  return new ArtifactstoreError('authority_unusable', `${what}.`, { info: { fault, hint } });
}

/** `permission` as the provider names it. */
export function missingPermission(what: string, permission: string, hint: string): ArtifactstoreError {
  return new ArtifactstoreError('provider_forbidden', `${what}: needs ${permission}.`, { info: { permission, hint } });
}

export function unavailableProvider(place: string, what: string, hint: string, cause?: unknown, asked?: 'objects'): ArtifactstoreError {
  const who = asked === 'objects' ? 'object store' : 'provider';
  return new ArtifactstoreError('provider_unavailable', `The ${who} at ${place} ${what}.`, { info: { hint }, cause });
}

/** The provider knows who asks and what for, and something is in the way: a limit, or what somebody else has made. */
export function refusedByProvider(what: string, hint: string, info: Readonly<Record<string, unknown>> = {}): ArtifactstoreError {
  return new ArtifactstoreError('provider_refused', `${what}.`, { info: { ...info, hint } });
}

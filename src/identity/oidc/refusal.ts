import { ArtifactstoreError } from '../../kernel/error.ts';

/** `unauthorized`: `reason` says of the token which rule it breaks, without its text. */
export function refused(reason: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('unauthorized', `The token is refused: ${reason}.`, { field: 'authorization', cause });
}

/** `identity_unavailable`: `reason` says why its keys are not known, `cause` is for the log. */
export function unavailable(issuer: string, reason: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('identity_unavailable', `The keys of the issuer "${issuer}" can't be had now: ${reason}.`, { cause });
}

/** What somebody else wrote, as it may stand in a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

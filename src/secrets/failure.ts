import { ArtifactstoreError } from '../kernel/error.ts';
import type { Secret } from './secret.ts';

/** What can be wrong with something that is there. */
export type ValueFault = 'empty' | 'exposed' | 'malformed';

/** `what` is the end of a sentence about the secret, without a full stop. */
export function unusable(place: string, name: string, fault: ValueFault, what: string): ArtifactstoreError {
  return new ArtifactstoreError('secret_unusable', `The secret "${name}" in ${place} ${what}.`, { field: name, info: { fault } });
}

export function forbidden(place: string, name: string, what: string, hint: string): ArtifactstoreError {
  return new ArtifactstoreError('secrets_forbidden', `The secret "${name}" in ${place} ${what}.`, { field: name, info: { hint } });
}

/** `what` is the end of a sentence about the store. */
export function unavailable(place: string, what: string, hint: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('secrets_unavailable', `The secret store ${place} ${what}.`, { info: { hint }, cause });
}

export function conflict(place: string, name: string): ArtifactstoreError {
  return new ArtifactstoreError('secret_conflict', `The secret "${name}" in ${place} is not what it was: it was not changed.`, {
    field: name,
    info: { hint: 'read it again: somebody else has changed, made or removed it' },
  });
}

/** The text, where every store can keep it as it is. Errors: `invalid_value`. */
export function storable(name: string, value: Secret): string {
  const text = value.reveal();
  const fault =
    text === ''
      ? 'is empty'
      : text.trim() !== text || text.startsWith('\uFEFF')
        ? 'begins or ends with white space or a byte order mark'
        : text.includes('\0') || !text.isWellFormed()
          ? 'is no text'
          : Buffer.byteLength(text) > largestBytes
            ? `is longer than ${largestBytes} bytes`
            : undefined;
  if (fault === undefined) return text;
  throw new ArtifactstoreError('invalid_value', `The value for the secret "${name}" ${fault}.`, { field: name });
}

const largestBytes = 65_536;

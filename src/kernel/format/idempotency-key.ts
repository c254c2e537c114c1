import { ArtifactstoreError } from '../error.ts';
import { idempotencyKeyPattern } from './text-rules.ts';

const pattern = new RegExp(idempotencyKeyPattern);

/** The key as it is given, in process or before it is sent: a header would lose blanks at its ends. `invalid_value`. */
export function checkIdempotencyKey(value: unknown): string {
  if (typeof value !== 'string' || !pattern.test(value))
    throw new ArtifactstoreError(
      'invalid_value',
      '"idempotency_key" must be 1 to 255 printable ASCII characters, the first and the last of them no blank.',
      { field: '/idempotency_key' },
    );
  return value;
}

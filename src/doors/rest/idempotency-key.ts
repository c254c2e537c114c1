import { ArtifactstoreError } from '../../kernel/error.ts';
import { idempotencyKeyPattern } from '../../kernel/format/text-rules.ts';
import { bounds } from './bounds.ts';

const idempotencyKey = new RegExp(idempotencyKeyPattern);

/** The value of the field, as it was sent. Errors: `invalid_header`. */
export function checkIdempotencyKey(value: string | readonly string[]): string {
  if (typeof value !== 'string' || !idempotencyKey.test(value))
    throw new ArtifactstoreError('invalid_header', 'An Idempotency-Key is 1 to 255 printable ASCII characters.', {
      field: 'idempotency-key',
      ...(value.length > bounds.idempotency_key_characters.value
        ? { info: { bound: 'idempotency_key_characters', limit: bounds.idempotency_key_characters.value } }
        : {}),
    });
  return value;
}

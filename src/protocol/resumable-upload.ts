import { parseItem } from 'structured-headers';

/**
 * The header fields of resumable uploads: draft-ietf-httpbis-resumable-upload, sections 4.1.1 to 4.1.4. All are items
 * of RFC 9651.
 */

/** The version of the draft's wire that is spoken, in `Upload-Draft-Interop-Version`. */
export const interopVersion = 8;

/** The media type of a body that is added to an upload (section 6 of the draft). */
export const partialUploadType = 'application/partial-upload';

/** A boolean: `?1` or `?0`. Undefined when the field is malformed. */
export function parseBooleanField(value: string): boolean | undefined {
  const item = parsed(value);
  return typeof item === 'boolean' ? item : undefined;
}

/** A whole number, 0 or more. Undefined when the field is malformed. */
export function parseCountField(value: string): number | undefined {
  const item = parsed(value);
  // The only numbers without a fraction that RFC 9651 has are integers of up to 15 digits, but 1.0 parses as 1.
  return typeof item === 'number' && Number.isSafeInteger(item) && item >= 0 && !value.includes('.') ? item : undefined;
}

export function formatBooleanField(value: boolean): string {
  return value ? '?1' : '?0';
}

/** What `Upload-Limit` says: bytes of a whole upload, and seconds that it is kept for. */
export function formatLimitField(limits: { readonly maximumBytes: number; readonly secondsLeft?: number }): string {
  const size = `max-size=${limits.maximumBytes}`;
  return limits.secondsLeft === undefined ? size : `${size}, max-age=${Math.max(0, Math.floor(limits.secondsLeft))}`;
}

function parsed(value: string): unknown {
  try {
    return parseItem(value)[0];
  } catch {
    return undefined;
  }
}

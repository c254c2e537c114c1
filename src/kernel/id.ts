import { Buffer } from 'node:buffer';
import { ArtifactstoreError } from './error.ts';

declare const brand: unique symbol;

/** A UUID in its canonical form: lowercase, with hyphens. */
export type Uuid = string & { readonly [brand]: 'Uuid' };

/** The canonical form, as every reader of a pattern understands it. */
export const idPattern = '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** Whether `parseId` takes it. */
export function isId(text: string): text is Uuid {
  return canonicalForm.test(text);
}

/** Takes a UUID of any version; throws `invalid_id`. */
export function parseId(text: string, field?: string): Uuid {
  if (typeof text !== 'string' || !canonicalForm.test(text))
    throw new ArtifactstoreError(
      'invalid_id',
      `The id ${quoted(text)} is not a UUID in lowercase canonical form.`,
      field === undefined ? {} : { field },
    );
  return text as Uuid;
}

/** As it was given, where that can be printed. */
function quoted(text: unknown): string {
  if (typeof text !== 'string') return 'given';
  const printable = text.replaceAll(/[^\x20-\x7e]/g, '?');
  return printable.length > 100 ? `"${printable.slice(0, 100)}…"` : `"${printable}"`;
}

/** RFC 9562, section 5.7: a 48-bit Unix time in milliseconds, then 74 of the 80 bits of `random` (10 bytes). */
export function uuidv7(milliseconds: number, random: Uint8Array): Uuid {
  if (!Number.isInteger(milliseconds) || milliseconds < 0 || milliseconds >= 2 ** 48)
    throw new RangeError(`A version 7 UUID cannot carry the time ${milliseconds}.`);
  if (random.length !== 10) throw new RangeError(`A version 7 UUID takes 10 random bytes, not ${random.length}.`);
  bytes.writeUIntBE(milliseconds, 0, 6);
  bytes.set(random, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let at = 0;
  for (let index = 0; index < bytes.length; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text[at++] = hyphen;
    text[at++] = hexDigits[bytes[index]! >> 4]!;
    text[at++] = hexDigits[bytes[index]! & 0x0f]!;
  }
  return text.toString('latin1') as Uuid;
}

// Of the one that is being made: each event has several.
const bytes = Buffer.alloc(16);
const text = Buffer.alloc(36);
const hexDigits = Buffer.from('0123456789abcdef');
const hyphen = 0x2d;

const canonicalForm = new RegExp(idPattern);

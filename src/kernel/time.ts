import { ArtifactstoreError } from './error.ts';

declare const brand: unique symbol;

/** RFC 3339 in UTC with milliseconds and `Z`, years 0000 to 9999: `2026-01-31T23:59:59.000Z`. Sorts as text by time. */
export type Timestamp = string & { readonly [brand]: 'Timestamp' };

/** `milliseconds` since 1970 in UTC, a whole number. */
export function formatTimestamp(milliseconds: number): Timestamp {
  if (!Number.isInteger(milliseconds) || milliseconds < earliest || milliseconds > latest)
    throw new ArtifactstoreError('invalid_value', `The time ${milliseconds} is not between the years 0000 and 9999.`);
  return new Date(milliseconds).toISOString() as Timestamp;
}

/** The time so many seconds later. */
export function secondsAfter(time: string, seconds: number): Timestamp {
  return formatTimestamp(parseTimestamp(time) + seconds * 1000);
}

/** Whether it is the canonical form of a time. */
export function isTimestamp(text: string): text is Timestamp {
  const milliseconds = canonicalForm.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isInteger(milliseconds) && new Date(milliseconds).toISOString() === text;
}

/** Milliseconds since 1970 in UTC. Takes the canonical form only; throws `invalid_value`. */
export function parseTimestamp(text: string): number {
  if (isTimestamp(text)) return Date.parse(text);
  throw new ArtifactstoreError('invalid_value', 'The time is not RFC 3339 in UTC with milliseconds and "Z".');
}

/**
 * What a user wrote, as any RFC 3339 date-time, in the canonical form; throws `invalid_value`. Digits beyond the
 * millisecond are cut off. A leap second is refused: the canonical form has no name for it.
 */
export function readTimestamp(text: string, field?: string): Timestamp {
  const match = typeof text === 'string' ? dateTime.exec(text) : null;
  if (match !== null) {
    const [, date, time, fraction = '', sign, hours = '00', minutes = '00'] = match;
    const wall = `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
    const milliseconds = Date.parse(wall);
    const exists = Number.isInteger(milliseconds) && new Date(milliseconds).toISOString() === wall;
    const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
    const utc = milliseconds - offset;
    if (exists && Number(hours) < 24 && Number(minutes) < 60 && utc >= earliest && utc <= latest) return formatTimestamp(utc);
  }
  throw new ArtifactstoreError(
    'invalid_value',
    'The time is not an RFC 3339 date-time such as 2026-01-31T23:59:59Z, or does not exist.',
    field === undefined ? {} : { field },
  );
}

const earliest = Date.parse('0000-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');
const canonicalForm = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const dateTime = /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;

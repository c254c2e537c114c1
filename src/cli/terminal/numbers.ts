import { InvalidArgumentError } from 'commander';
import { formatTimestamp, readTimestamp, type Timestamp } from '../../kernel/time.ts';

/** Numbers, times and digests as the command line takes them; others are refused with exit code 2. */

export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
  return Number(text);
}

/** How many items a page of a list may have. */
export function pageLimit(text: string): number {
  const limit = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit <= 1000)) throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
  return limit;
}

export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('It must be a port from 0 to 65535.');
  return port;
}

/** Of a file, as chmod takes it, without what gives a program the rights of others. */
export function fileMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new InvalidArgumentError('It must be three octal digits, such as 0644.');
  return Number.parseInt(text, 8);
}

export function sequenceNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return Number(text);
}

/** The digest of a manifest. */
export function manifestDigest(text: string): string {
  const digest = text.trim().toLowerCase();
  if (!/^blake3:[0-9a-f]{64}$/.test(digest))
    throw new InvalidArgumentError('It must be "blake3:" and 64 hex digits, as `push` and `packages show` print it.');
  return digest;
}

/** `30d`, `12h`, `90m`, `45s`, `2w`: in milliseconds. */
export function duration(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('It must be a duration such as 30d; the units are w, d, h, m and s.');
  return milliseconds;
}

/** A time (RFC 3339), in the canonical form. */
export function time(text: string): Timestamp {
  try {
    return readTimestamp(text);
  } catch {
    throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z.');
  }
}

/** A time (RFC 3339), or the time that lies a duration before `now`, in the canonical form. */
export function timeOrAge(text: string, now: number = Date.now()): Timestamp {
  const age = readDuration(text);
  if (age !== undefined && age <= now) return formatTimestamp(now - age);
  try {
    return readTimestamp(text);
  } catch {
    throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z, or a duration before now such as 7d.');
  }
}

/** `50MB`, `50MB/s`, `8MiB`, `1000000`: bytes a second. */
export function bytesPerSecond(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(B|kB|KB|MB|GB|KiB|MiB|GiB)?(?:\/s)?$/.exec(text);
  const rate = match === null ? 0 : Math.floor(Number(match[1]) * byteUnits[match[2] ?? 'B']!);
  if (rate < 1) throw new InvalidArgumentError('It must be bytes a second, such as 50MB or 8MiB.');
  return rate;
}

function readDuration(text: string): number | undefined {
  const match = /^(\d{1,6})([wdhms])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * durationUnits[match[2]!]!;
}

const durationUnits: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

const byteUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

import { strings } from './strings.ts';

const locale = 'en';
const counts = new Intl.NumberFormat(locale);
const exactTimes = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
const dates = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'short', day: 'numeric' });
const toTheSecond = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'long', hourCycle: 'h23' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

export function formatCount(count: number): string {
  return counts.format(count);
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.4 MiB`; bytes are told exactly. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? formatExactBytes(bytes) : `${value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** `1,468,006 bytes`. */
export function formatExactBytes(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${counts.format(bytes)} bytes`;
}

const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `3 hours ago`, `in 2 months`; times in milliseconds. */
export function formatRelative(time: number, now: number): string {
  const seconds = (time - now) / 1_000;
  const size = Math.abs(seconds);
  for (const [unit, length] of steps) if (size >= length) return relative.format(Math.trunc(seconds / length), unit);
  return seconds > 30 ? relative.format(1, 'minute') : strings.time.now;
}

export function formatExact(time: number): string {
  return exactTimes.format(time);
}

/** `Nov 30, 2026, 12:46:48 UTC`. */
export function formatToTheSecond(time: number): string {
  return toTheSecond.format(time);
}

export function formatDate(time: number): string {
  return dates.format(time);
}

/** An address with the middle of its digest left out: `blake3:1f2e3d4c…a9b8`. */
export function shortAddress(address: string): string {
  const [algorithm = '', hex] = address.split(':', 2);
  const digest = hex ?? algorithm;
  const short = digest.length > 20 ? `${digest.slice(0, 8)}…${digest.slice(-4)}` : digest;
  return hex === undefined ? short : `${algorithm}:${short}`;
}

/** One argument of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Days as a person chooses them, in the place where the person is. */

const dayMilliseconds = 86_400_000;

/** `2027-03-01`, of a time in milliseconds. */
export function dayOf(time: number): string {
  const date = new Date(time);
  return `${String(date.getFullYear()).padStart(4, '0')}-${pair(date.getMonth() + 1)}-${pair(date.getDate())}`;
}

/** The last second of a day, as RFC 3339 in UTC; undefined for what is no day. */
export function endOfDay(day: string): string | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return undefined;
  const end = new Date(Number(year), Number(month) - 1, Number(date), 23, 59, 59);
  return Number.isNaN(end.getTime()) ? undefined : end.toISOString();
}

export function laterBy(time: number, days: number): string {
  return dayOf(time + days * dayMilliseconds);
}

function pair(value: number): string {
  return String(value).padStart(2, '0');
}

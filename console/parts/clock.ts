import { type Signal, signal } from '@preact/signals';

/** By so much the clock of this computer may differ from the server's, whose answers tell whole seconds. */
const toleratedMilliseconds = 5_000;

/** By how much the server's clock is ahead of this computer's. */
let ahead = 0;

/** The server's time by which relative times are told, in milliseconds; it moves every half minute. */
export const now: Signal<number> = signal(Date.now());

/** The time of the server, as far as it has told it; that of this computer until then. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/**
 * Takes the time of an answer (`Date`, RFC 9110 section 6.6.1): what is kept until when is decided by that clock. It
 * was said at some time since `askedAt`, by the clock of this computer: a slow line makes no clock wrong.
 */
export function tellServerTime({ headers }: Pick<Response, 'headers'>, askedAt: number): void {
  const told = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(told)) return;
  const [least, most] = [told - Date.now(), told - askedAt];
  if (ahead >= least - toleratedMilliseconds && ahead <= most + toleratedMilliseconds) return;
  ahead = ahead < least ? least : most;
  now.value = serverNow();
}

export function startClock(): void {
  setInterval(() => {
    now.value = serverNow();
  }, 30_000);
}

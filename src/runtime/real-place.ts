import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';

/**
 * Where a path leads, through all links: also one that is not there yet, or not wholly. Of what cannot be followed the
 * path itself: whoever opens it says why.
 */
export async function realPlace(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await realpath(whole).catch(() => undefined);
  if (real !== undefined) return real;
  const above = dirname(whole);
  return above === whole ? whole : join(await realPlace(above), basename(whole));
}

/** Whether a place is another one, or lies below it; both as `realPlace` gives them. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

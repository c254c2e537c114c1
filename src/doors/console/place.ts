/**
 * An address of the console as it was given, relative to `/console/`; its begin where it leads anywhere else. So
 * signing in sends nobody to another site.
 */
export function consolePlace(given: string | null): string {
  if (given === null || given.length > longestPlace || /[\\\p{Cc}]/u.test(given)) return '';
  const base = 'http://localhost/console/';
  const url = URL.parse(given, base);
  if (url === null || url.origin !== 'http://localhost' || url.username !== '' || url.password !== '') return '';
  if (!url.pathname.startsWith('/console/')) return '';
  const place = url.pathname.slice('/console/'.length);
  // Below an address that begins with a slash a browser would look for a host.
  return place.startsWith('/') || place.startsWith('sign-in/') ? '' : `${place}${url.search}${url.hash}`;
}

/** A cookie has 4 KiB. */
const longestPlace = 1_024;

import { effect, signal } from '@preact/signals';
import { session } from './session.ts';
import { comeBack, leavePlace, openNewPlace, presentPlace } from './way-back.ts';

/**
 * Where the console is, as a browser reaches it: `/console/`, or that below a proxy's path. The page was sent with the
 * way back to it (`<base>`), which does not change while its address does.
 */
export const base: URL = new URL('.', globalThis.document?.baseURI ?? 'http://localhost/console/');
/** Where the HTTP interface is: a folder above. */
export const apiBase: URL = new URL('..', base);

export interface Place {
  /** Below `/console/`, without the slash at its begin: empty, `packages`, `packages/<id>`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export const place = signal<Place>(placeOf(new URL(globalThis.location?.href ?? base.href)));

/** The list of packages that was left last, with its filter. */
export const listLeft = signal<{ readonly address: string; readonly place: string } | undefined>(undefined);

/** Nothing of one person is told to the next. */
effect(() => {
  if (session.value.epoch > 0) listLeft.value = undefined;
});

function leave(): void {
  leavePlace();
  if (place.peek().path === 'packages') listLeft.value = { address: withQuery({}), place: presentPlace() };
}

/**
 * Shows another place. With `replace` the way back leads past the present one. With `as` it is shown as that place of
 * the history was left.
 */
export function navigate(to: string, { replace = false, as }: { readonly replace?: boolean; readonly as?: string | undefined } = {}): void {
  const url = new URL(to, base);
  if (!replace) {
    leave();
    if (as === undefined) openNewPlace();
    else comeBack(as);
  }
  history[replace ? 'replaceState' : 'pushState'](presentPlace(), '', url);
  place.value = placeOf(url);
}

/** The same place with other parameters; those that are empty are left out. */
export function withQuery(changes: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes))
    if (value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  const text = query.toString();
  return text === '' ? place.value.path || './' : `${place.value.path}?${text}`;
}

/** Follows links inside of the console without loading the page again, and the browser's way back. */
export function followLinks(): void {
  // The browser would scroll before the page is there.
  history.scrollRestoration = 'manual';
  history.replaceState(openNewPlace(), '');
  addEventListener('popstate', ({ state }) => {
    leave();
    comeBack(typeof state === 'string' ? state : openNewPlace());
    place.value = placeOf(new URL(location.href));
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.hasAttribute('download') || (link.target !== '' && link.target !== '_self')) return;
    const written = link.getAttribute('href') ?? '';
    // A place on this page: by itself a browser would look for it at the address that all others are relative to.
    if (written.startsWith('#')) {
      event.preventDefault();
      document.getElementById(written.slice(1))?.focus();
      return;
    }
    if (!link.href.startsWith(base.href)) return;
    event.preventDefault();
    if (link.href !== location.href) navigate(link.href, { as: link.dataset.place });
  });
}

function placeOf(url: URL): Place {
  return { path: url.pathname.startsWith(base.pathname) ? url.pathname.slice(base.pathname.length) : '', query: url.searchParams };
}

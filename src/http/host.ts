import type { IncomingMessage } from 'node:http';
import { ArtifactstoreError } from '../kernel/error.ts';

/** A request says once to which host it goes (RFC 9112 section 3.2): of two, a proxy and this server could each believe another. */
export function requireOneHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return;
  throw new ArtifactstoreError('invalid_header', hosts === 0 ? 'The Host header is missing.' : 'There is more than one Host header.', {
    field: 'host',
  });
}

/**
 * For a server that is this machine's alone: a page of somebody else's can have its own name lead here, and a browser then takes this server for
 * that page's. Such a request names the page's host.
 */
export function requireLocalHost({ headers }: IncomingMessage): void {
  const name = URL.parse(`http://${headers.host ?? 'localhost'}`)?.hostname ?? '';
  if (/^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(name)) return;
  throw new ArtifactstoreError('forbidden', 'This server is for its own machine; ask it as localhost or 127.0.0.1.', { field: 'host' });
}

import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ArtifactstoreError } from '../kernel/error.ts';
import { fieldCount } from './field-count.ts';

/**
 * A request says once to which host it goes (RFC 9112 section 3.2): of two, a proxy and this server could each believe
 * another.
 */
export function requireOneHost(request: IncomingMessage): void {
  const hosts = fieldCount(request, 'host');
  if (hosts === 1 || (hosts === 0 && request.httpVersion === '1.0')) return;
  throw new ArtifactstoreError('invalid_header', hosts === 0 ? 'The Host header is missing.' : 'There is more than one Host header.', {
    field: 'host',
  });
}

/**
 * A request says what it asks for as a path, or as an http address with one (RFC 9112 section 3.2): `*` and other
 * schemes name nothing here.
 */
export function requirePath(target: string): void {
  if (target.startsWith('/') || /^https?:\/\//i.test(target)) return;
  throw new ArtifactstoreError('malformed_request', 'The request target is not a path.');
}

/**
 * Refuses names that nobody gave to a server which listens for this machine alone. A page of somebody else's can let
 * its own name lead to 127.0.0.1, and a browser then takes this server for that page's; such a request names the page's
 * host. On other addresses every name is taken until some are allowed. `allowed` are names as they stand in a URL, or
 * `*` for every one; those of this machine always are.
 */
export function hostCheck(server: Server, allowed: readonly string[]): (request: IncomingMessage) => void {
  let checks = allowed.length > 0;
  server.on('listening', () => {
    checks ||= /^(?:127\.|::1$|::ffff:127\.)/.test((server.address() as AddressInfo).address);
  });
  const names = new Set(allowed);
  /** The field that was taken last: most requests have the same. */
  let taken: string | undefined;
  return ({ headers }) => {
    if (!checks || names.has('*') || (taken !== undefined && headers.host === taken)) return;
    const name = URL.parse(`http://${headers.host ?? 'localhost'}`)?.hostname ?? '';
    if (namesOfThisMachine.test(name) || names.has(name)) {
      taken = headers.host;
      return;
    }
    throw new ArtifactstoreError('forbidden', 'The Host header names a host that this server does not answer for.', {
      field: 'host',
      info: { hint: 'ask it as localhost or 127.0.0.1; names that others use, as behind a proxy, belong into ARTIFACTSTORE_ALLOWED_HOSTS' },
    });
  };
}

const namesOfThisMachine = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

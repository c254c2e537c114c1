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

import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Lets pages of other origins use the server, as their browsers ask it (Fetch, section 3.3): those in `origins`, or all
 * for `*`. None of them is sent cookies, so that a page has the token that it was given and nothing else. Whether it
 * was a question of a browser, which is then answered.
 */
export function createCors(origins: readonly string[]): (request: IncomingMessage, response: ServerResponse) => boolean {
  const allowed = new Set(origins);
  return ({ method, headers }, response) => {
    const { origin } = headers;
    if (allowed.size === 0) return false;
    // Headers that are set here are in every answer, whoever writes it.
    response.setHeader('vary', 'origin');
    if (origin === undefined || !(allowed.has('*') || allowed.has(origin))) return false;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', exposed);
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
    response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE');
    const asked = headers['access-control-request-headers'];
    if (asked !== undefined) response.setHeader('access-control-allow-headers', asked);
    response.setHeader('access-control-max-age', '7200');
    return true;
  };
}

/** What a page may read of an answer besides what it always may. */
const exposed: string = [
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Location',
  'Repr-Digest',
  'Retry-After',
  'Tus-Extension',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Complete',
  'Upload-Concat',
  'Upload-Defer-Length',
  'Upload-Expires',
  'Upload-Length',
  'Upload-Limit',
  'Upload-Metadata',
  'Upload-Offset',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

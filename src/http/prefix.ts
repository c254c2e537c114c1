import type { IncomingHttpHeaders } from 'node:http';
import type { Api } from './api.ts';
import { varyBy } from './vary.ts';

/** Where the registry lies in the addresses that its clients use, when a proxy puts it below a path. */
export interface PrefixOptions {
  /** `/artifacts`, or empty. */
  readonly basePath: string;
  /**
   * Takes the path from `X-Forwarded-Prefix`, which a stranger could send too: only behind a proxy that always sets it.
   */
  readonly trustForwardedPrefix: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What stands before the paths of this server for whoever asks: empty, or `/artifacts`. */
    prefix: string;
  }
}

/** Puts the prefix before every `Location`. What it is for a request is `request.prefix`. */
export function prefixLocations(api: Api, options: PrefixOptions): void {
  api.decorateRequest('prefix', '');
  if (options.basePath === '' && !options.trustForwardedPrefix) return;
  api.addHook('onRequest', (request, reply, done) => {
    request.prefix = prefixOf(request.raw.headers, options);
    if (options.trustForwardedPrefix) varyBy(reply, 'x-forwarded-prefix');
    done();
  });
  api.addHook('onSend', (request, reply, payload, done) => {
    const location = reply.getHeader('location');
    if (typeof location === 'string' && location.startsWith('/')) reply.header('location', request.prefix + location);
    done(null, payload);
  });
}

/** The path with or without the base path before it means the same: some proxies cut it off, some leave it. */
export function withoutBasePath(url: string, basePath: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}

/** A path of plain segments, so that nothing else can get into a header or a page by it. */
export function isPrefix(text: string): boolean {
  return text.length <= 256 && /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/.test(text);
}

function prefixOf(headers: IncomingHttpHeaders, { basePath, trustForwardedPrefix }: PrefixOptions): string {
  const forwarded = headers['x-forwarded-prefix'];
  if (!trustForwardedPrefix || typeof forwarded !== 'string') return basePath;
  const path = forwarded.replace(/\/+$/, '');
  return path === '' || isPrefix(path) ? path : basePath;
}

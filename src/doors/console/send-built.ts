import type { FastifyReply, FastifyRequest } from 'fastify';
import { varyBy } from '../../http/vary.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { ifNoneMatchHits } from '../../protocol/conditional.ts';
import { type Built, type Encoding, encodings, etagOf } from './built.ts';

/** Files below it have their digest in their name. */
const assets = 'assets/';

/**
 * Nothing from elsewhere, nothing inline. Previews are frames and pictures of bytes that the page has read (`blob:`);
 * a text becomes an address of a script by one named policy alone.
 */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  'frame-src blob:',
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types console-worker',
].join('; ');

/** A worker goes by the policy of its own file: it hashes with WebAssembly, and asks nobody. */
const assetPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

const everywhere = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': 'same-origin' };

/** Answers GET and HEAD with a file of the console, or with its page, which then shows what the address names. */
export function sendBuilt(request: FastifyRequest, reply: FastifyReply, { page, files }: Built): FastifyReply {
  const [path = ''] = (request.raw.url ?? '').slice('/console/'.length).split(/[?#]/, 1);
  const file = files.get(path);
  if (file === undefined) {
    if (path.startsWith(assets)) throw new ArtifactstoreError('route_not_found', 'The console has no such file: load its page again.');
    return sendPage(request, reply, withBase(page, path));
  }
  const encoding = acceptedEncoding(request.headers['accept-encoding'], file.encoded);
  const etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding}"`);
  varyBy(reply, 'accept-encoding').headers({
    ...everywhere,
    etag,
    'cache-control': path.startsWith(assets) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-security-policy': assetPolicy,
  });
  if (isKnown(request, etag)) return reply.code(304).send();
  if (encoding !== undefined) reply.header('content-encoding', encoding);
  const bytes = encoding === undefined ? file.bytes : file.encoded.get(encoding)!;
  return reply.type(typeOf(path)).send(bytes);
}

function sendPage(request: FastifyRequest, reply: FastifyReply, html: string): FastifyReply {
  const etag = etagOf(html);
  reply.headers({
    ...everywhere,
    etag,
    'cache-control': 'no-cache',
    'content-security-policy': pagePolicy,
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  });
  return isKnown(request, etag) ? reply.code(304).send() : reply.type('text/html; charset=utf-8').send(html);
}

/**
 * The page with the way back to `/console/` from the address that was asked for. Nothing needs to be known of a proxy
 * that has put it below another path.
 */
function withBase(page: string, path: string): string {
  const depth = path.split('/').length - 1;
  return page.replace('<base href="./"', `<base href="${'../'.repeat(depth) || './'}"`);
}

function isKnown({ headers }: FastifyRequest, etag: string): boolean {
  return headers['if-none-match'] !== undefined && ifNoneMatchHits(headers['if-none-match'], etag);
}

/** The shortest form that the client takes (RFC 9110 section 12.5.3); undefined for the bytes as they are. */
function acceptedEncoding(field: string | undefined, encoded: ReadonlyMap<Encoding, Buffer>): Encoding | undefined {
  const accepted = new Set(
    (field ?? '').split(',').flatMap((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      return parameters.some((text) => /^q=0(\.0*)?$/.test(text)) ? [] : [name];
    }),
  );
  return encodings.find((encoding) => accepted.has(encoding) && encoded.has(encoding));
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

function typeOf(path: string): string {
  return types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
}

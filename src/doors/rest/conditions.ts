import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { ifMatchHolds, ifNoneMatchHits, ifRangeHolds } from '../../protocol/conditional.ts';
import { parseRange, type RangeRequest } from '../../protocol/range.ts';

/** Bytes at an address never change, but the right to them can end: caches ask each time. */
export const cacheControl = 'private, no-cache';

/**
 * Whether the client has this representation already, so that the answer is 304. Throws when it wants another one
 * (412).
 */
export function isKnown(headers: IncomingHttpHeaders, etag: string): boolean {
  if (headers['if-match'] !== undefined && !ifMatchHolds(headers['if-match'], etag))
    throw new ArtifactstoreError('precondition_failed', 'The bytes are not the ones that If-Match names.', { field: 'if-match' });
  return headers['if-none-match'] !== undefined && ifNoneMatchHits(headers['if-none-match'], etag);
}

/** The range that a GET asks for; undefined for the whole. If-Range is not looked at. */
export function statedRange({ method, headers }: IncomingMessage): RangeRequest | undefined {
  return method === 'GET' && headers.range !== undefined ? parseRange(headers.range) : undefined;
}

/** Whether the range may be served: If-Range, where there is one, names this representation. */
export function mayServeRange({ 'if-range': ifRange }: IncomingHttpHeaders, etag: string): boolean {
  return typeof ifRange !== 'string' || ifRangeHolds(ifRange, etag);
}

/** `bytes=-0` selects nothing of anything. */
export function isEmptySuffix(range: RangeRequest | undefined): boolean {
  return range?.kind === 'suffix' && range.length === 0;
}

/** 416, with the header that tells the size. */
export function notSatisfiable(reply: FastifyReply, what: string, sizeBytes: number): ArtifactstoreError {
  reply.header('content-range', `bytes */${sizeBytes}`);
  return new ArtifactstoreError('range_not_satisfiable', `The ${what} has ${sizeBytes} bytes, none of them in the range.`, {
    field: 'range',
    info: { size_bytes: sizeBytes },
  });
}

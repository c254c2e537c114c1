import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Principal } from '../kernel/access.ts';
import type { MemoryAccount } from './memory.ts';

/** The server as the routes of a door see it: schemas of a route type its handler. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Whoever asks without saying who it is, and may do nothing for now. */
export const nobody: Principal = { actor: 'anonymous', share: '', grants: [] };

/** The property of a query that has its text: a door reads it in its own way. */
export const queryText = 'text';

/**
 * How a route takes its body: `json` is read whole and checked against the route's schema; `json-or-empty` takes none
 * for `{}`; `raw` is left on the socket for the handler, as is what is of one of `rawTypes` beside JSON; absent, there
 * is none.
 */
export type BodyKind = 'json' | 'json-or-empty' | 'raw';

declare module 'fastify' {
  interface FastifyContextConfig {
    body?: BodyKind;
    /** Media types that a route takes beside JSON, as they arrive. */
    rawTypes?: readonly string[];
    /** The longest JSON body, where it is not the usual one. */
    jsonBytes?: number;
    /** Whether a reader can keep the answer open for long, as the request says. */
    waits?: (request: FastifyRequest) => boolean;
    /** Whether it answers with a page of many, made in turns. */
    list?: boolean;
    /** Whether monitors ask for it every few seconds, so that good answers can be left out of the log. */
    probe?: boolean;
    /** Whether it is answered whoever asks how much, and on connections beyond the maximum. */
    alwaysHeard?: boolean;
  }
  interface FastifyRequest {
    /** Who asks; until the door has said it, nobody. */
    principal: Principal;
    /** What it may read whole. */
    memory: MemoryAccount;
    /** A token stands in its path, which is not for the log. */
    pathIsSecret: boolean;
    /** Bytes of the body that were read and of the answer that were written, for the log and the metrics. */
    bytesIn: number;
    bytesOut: number;
  }
}

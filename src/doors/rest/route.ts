import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Logger } from 'pino';
import type { Limits } from '../../http/limits.ts';
import type { Memory, MemoryAccount } from '../../http/memory.ts';
import type { Shares } from '../../http/shares.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import type { FairTurns } from '../../runtime/fair-turns.ts';
import type { Access } from './auth.ts';
import type { LimitName } from './bounds.ts';
import type { AnswerHeader, RequestHeader } from './header-descriptions.ts';
import type { HealthReader } from './health.ts';
import type { Metrics } from './metrics.ts';

/** The server as route families see it: schemas of a route type its handler. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What route families are given. */
export interface RouteContext {
  readonly limits: Limits;
  readonly memory: Memory;
  readonly shares: Shares;
  /** Counts, and now and then logs, that a limit was met. */
  limited(limit: LimitName): void;
  readonly log: Logger;
  /** Whether probes that were answered well are in the log. */
  readonly logProbes: boolean;
  readonly metrics: Metrics;
  readonly health: HealthReader;
  /** For reading long JSON bodies. */
  readonly jsonTurns: FairTurns;
  /** For making pages of many. */
  readonly listTurns: FairTurns;
  readonly version: string;
  /** Aborted when the server begins to stop. */
  readonly closing: AbortSignal;
}

/**
 * How a route takes its body: `json` is read whole and checked against the route's schema; `json-or-empty` takes none
 * for `{}`; `raw` is left on the socket for the handler, as is what `json-or-files` takes beside JSON; absent, there is
 * none.
 */
export type BodyKind = 'json' | 'json-or-empty' | 'raw' | 'json-or-files';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says what it asks of its caller. */
    access?: Access;
    body?: BodyKind;
    /** Whether a reader can keep the answer open for long, as the request says. */
    waits?: (request: FastifyRequest) => boolean;
    /** Whether it answers with a page of many, made in turns. */
    list?: boolean;
    /** The longest JSON body, where it is not the usual one. */
    jsonBytes?: number;
    /** Headers that the route reads, and those that its success gives, for the description. */
    takes?: readonly RequestHeader[];
    gives?: readonly AnswerHeader[];
  }
  interface FastifyRequest {
    actor: string;
    registry: Registry;
    /** For whom the request is made, in the shares of the server; never shown. */
    principal: string;
    /** What it may read whole. */
    memory: MemoryAccount;
    /** What gives its shares back at the end. */
    leaving: (() => void)[];
    /** Bytes of the body that were read and of the answer that were written, for the log and the metrics. */
    bytesIn: number;
    bytesOut: number;
  }
}

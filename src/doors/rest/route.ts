import type { EngineContext } from '../../http/context.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import type { Access, Caller } from './auth.ts';
import type { HealthReader } from './health.ts';
import type { AnswerHeader, RequestHeader } from './openapi/header-descriptions.ts';

export type { Api } from '../../http/api.ts';

/** What route families are given. */
export interface RouteContext extends EngineContext {
  readonly health: HealthReader;
  readonly version: string;
  /** What `/metrics` shows, as Prometheus reads it. */
  renderMetrics(): Promise<string>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says what it asks of its caller. */
    access?: Access;
    /** Headers that the route reads, and those that its success gives, for the description. */
    takes?: readonly RequestHeader[];
    /** Those of them without which it refuses a request. */
    needs?: readonly RequestHeader[];
    gives?: readonly AnswerHeader[];
  }
  interface FastifyRequest {
    registry: Registry;
    /** Who asks, and what it showed. */
    caller: Caller;
    /**
     * For what takes long: asks once more who asks. False when they may do something else than before: `registry` and
     * `caller` are as of now from then on. Throws as the beginning of a request does when the token counts no more.
     */
    isAsBefore(): Promise<boolean>;
  }
}

import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../kernel/access.ts';
import type { Bounds } from '../kernel/bound.ts';
import type { ArtifactstoreError } from '../kernel/error.ts';
import type { Api } from './api.ts';

/**
 * One way to speak with the server: its routes, who is let in, and the form of every refusal. The engine does the rest
 * for every door alike: connections, bodies, limits, shares, the log and the metrics.
 */
export interface Door {
  /**
   * Below which path it is, such as `/v2`. One door has the empty path: it has what no other has, and answers what
   * never becomes a request.
   */
  readonly path: string;
  /** The limits that its requests can meet, beside those of the engine. */
  readonly bounds: Bounds<string>;
  /**
   * Who asks for a route of this door; `nobodyAt` makes one of whoever does not say it. Nothing of the body was read. A
   * promise only where somebody else has to be asked. Errors: `unauthorized`, whose refusal has the challenge,
   * `forbidden`, `identity_unavailable`.
   */
  identify(request: FastifyRequest): Principal | Promise<Principal>;
  /** What is wrong with a request that no route takes; its refusal is the door's own. */
  unknownRoute(request: FastifyRequest): ArtifactstoreError;
  /**
   * How an error is answered. Of one that is not an `ArtifactstoreError` a client learns nothing but the request's id.
   * `request` is absent for what never became one.
   */
  refuse(error: unknown, requestId: string, request?: IncomingMessage): Refusal;
  /** Adds its routes, with paths below its own. */
  addRoutes(api: Api): void | Promise<void>;
}

/** An answer to an error. The engine adds its length and the request's id. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

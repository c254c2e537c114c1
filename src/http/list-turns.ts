import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { FairTurns } from '../runtime/fair-turns.ts';
import { afterCollection } from '../runtime/heap.ts';
import type { Api } from './api.ts';
import type { EngineContext } from './context.ts';

/** A text of so many characters is long. */
const longCharacters = 65_536;

/** So long a list waits at most until what earlier ones left is given back. */
const collectionMilliseconds = 300;

/** What ends the turn of an answer that is being made. */
const ending = new WeakMap<object, () => void>();

/** Ends the turn of an answer that is written bit by bit: its reader is not waited for in it. */
export function leaveListTurn({ raw }: FastifyReply): void {
  ending.get(raw)?.();
}

/**
 * A turn of its own for a part of an answer. Errors: `cancelled` where the connection was closed before the turn came,
 * since nobody would read what is made, nor is the database open for ever.
 */
export async function inListTurn<T>(
  { listTurns }: Pick<EngineContext, 'listTurns'>,
  { principal }: FastifyRequest,
  { raw }: FastifyReply,
  work: () => Promise<T>,
): Promise<T> {
  return await listTurns.take(principal.share, 1, async () => {
    await afterCollection(collectionMilliseconds);
    if (raw.closed) throw leftBefore();
    return await work();
  });
}

/**
 * Has few lists made at a time, of each caller in turn: one can be two megabytes, several times over while it
 * is made. `onMade` is told when the connection has one; what waits there for its reader is no longer counted here.
 */
export function takeListTurns(api: Api, turns: FairTurns, onMade: () => void): void {
  api.addHook('preHandler', (request, { raw }, done) => {
    const { list, waits } = request.routeOptions.config;
    if (list !== true || waits?.(request) === true) return done();
    const make = async (): Promise<void> => {
      await afterCollection(collectionMilliseconds);
      // Whoever has gone meanwhile is not heard of again.
      if (raw.closed) return done(leftBefore());
      await new Promise<void>((resolve) => {
        ending.set(raw, resolve);
        raw.once('close', resolve);
        done();
      });
    };
    turns.take(request.principal.share, 1, make).catch(done);
  });
  api.addHook('onSend', (_request, { raw }, payload, done) => {
    // The system would take three times the memory for a long text that waits for its reader.
    done(null, typeof payload === 'string' && payload.length > longCharacters ? Buffer.from(payload) : payload);
    const end = ending.get(raw);
    if (end === undefined) return;
    setImmediate(() => {
      onMade();
      end();
    });
  });
}

function leftBefore(): ArtifactstoreError {
  return new ArtifactstoreError('cancelled', 'The client left before its turn.');
}

import type { FastifyRequest } from 'fastify';
import { type TUnsafe, Type } from '#typebox';
import { inListTurn } from '../../../http/list-turns.ts';
import { disconnectSignal } from '../../../http/send.ts';
import { varyBy } from '../../../http/vary.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { decodeCbor } from '../../../kernel/format/cbor.ts';
import { subjectKinds } from '../../../kernel/log/event.ts';
import { eventTypes } from '../../../kernel/views/fold.ts';
import { negotiate } from '../../../protocol/accept.ts';
import { limits } from '../../../registry/limits.ts';
import type { EncodedEventPage, EventQuery } from '../../../registry/REGISTRY.ts';
import { giveBack } from '../../../runtime/give-back.ts';
import { lastEventId, sendEventStream } from '../events/event-stream.ts';
import { jsonOfLongPage, longPageBytes } from '../events/long-event-pages.ts';
import { isLongest, type LongestEventPage, sendLongestPage } from '../events/longest-event-page.ts';
import { answers, filterText } from '../parameters.ts';
import { eventPage } from '../records.ts';
import type { Api, RouteContext } from '../route.ts';
import type { SealedManifests } from '../sealed-manifests.ts';
import { sendOnce } from '../send-once.ts';

function oneOf(names: readonly string[]): TUnsafe<string> {
  return Type.Unsafe<string>({ type: 'string', enum: names });
}

/** A stream, or a page that is waited for. */
function waits({ headers, query }: FastifyRequest): boolean {
  return /text\/event-stream/i.test(headers.accept ?? '') || Number((query as { readonly wait?: number }).wait ?? 0) > 0;
}

export function eventRoutes(api: Api, context: RouteContext, manifests: SealedManifests): void {
  api.get(
    '/events',
    {
      config: { access: 'read', list: true, waits, takes: ['Last-Event-ID'], gives: ['Cache-Control'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'readEvents',
        tags: ['events'],
        summary: 'The log after a sequence: a page (CBOR, or JSON by Accept), or a stream (text/event-stream)',
        description: 'A page that would be empty waits up to `wait` seconds. A stream resumes after Last-Event-ID.',
        produces: ['application/cbor', 'application/json', 'text/event-stream'],
        querystring: Type.Object({
          since: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.eventPageItems, default: 100 })),
          wait: Type.Optional(Type.Integer({ minimum: 0, maximum: limits.eventWaitSeconds, default: 0 })),
          subject_kind: Type.Optional(oneOf(subjectKinds)),
          subject_id: Type.Optional(filterText),
          event_type: Type.Optional(oneOf(eventTypes)),
        }),
        response: answers({ 200: eventPage }, 400, 406),
      },
    },
    async (request, reply) => {
      const type = negotiate(request.headers.accept, ['application/cbor', 'application/json', 'text/event-stream']);
      if (type === undefined)
        throw new ArtifactstoreError('not_acceptable', 'Events are application/cbor, application/json or text/event-stream.', {
          field: 'accept',
        });
      const { wait, ...filter } = request.query;
      const query: EventQuery = { ...filter, ...(wait === undefined ? {} : { wait_seconds: wait }) };
      const account = manifests.account(request, reply);
      if (type === 'text/event-stream') return sendEventStream(context, request, reply, { ...filter, ...lastEventId(request) }, account);

      varyBy(reply, 'accept').header('cache-control', 'no-store').type(type);
      const signal = wait === undefined || wait === 0 ? undefined : AbortSignal.any([disconnectSignal(reply), context.closing]);
      const read = async (asked: EventQuery): Promise<unknown> => {
        const page = await pageAsOfNow(request, asked, signal);
        if (isLongest(page)) return await sendLongestPage(context, request, reply, account, page, type);
        const { bytes } = page;
        if (type === 'application/cbor') return sendOnce(reply, bytes);
        if (bytes.length <= longPageBytes) return decodeCbor(bytes);
        if (!waits(request)) return sendOnce(reply, await jsonOfLongPage(bytes));
        // All who waited have it at once: each is answered in its turn.
        giveBack(bytes);
        return await inListTurn(context, request, reply, async () =>
          sendOnce(reply, await jsonOfLongPage((await request.registry.events.encodedPage(filter)).bytes)),
        );
      };
      try {
        return await read(query);
      } catch (error) {
        // A server that stops answers those who wait at once, with what there is.
        if (!context.closing.aborted) throw error;
        return await read(filter);
      }
    },
  );
}

/** What was waited for is what the caller may see when it has come, and not when the waiting began. */
async function pageAsOfNow(
  request: FastifyRequest,
  query: EventQuery,
  signal: AbortSignal | undefined,
): Promise<EncodedEventPage | LongestEventPage> {
  const page = await request.registry.events.encodedPage(query, signal);
  if ((query.wait_seconds ?? 0) === 0 || (await request.isAsBefore())) return page;
  if (!isLongest(page)) giveBack(page.bytes);
  const { wait_seconds: _, ...asked } = query;
  return await request.registry.events.encodedPage(asked, signal);
}

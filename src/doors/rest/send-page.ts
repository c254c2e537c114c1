import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EncodedPage } from '../../kernel/format/encoded-page.ts';
import { shortenedBy } from './bounds.ts';
import type { RouteContext } from './route.ts';
import { sendOnce } from './send-once.ts';

/** Answers with a page that is JSON already. */
export function sendPage(context: RouteContext, request: FastifyRequest, reply: FastifyReply, page: EncodedPage): FastifyReply {
  const { json, item_count, next_cursor } = page;
  for (const limit of shortenedBy(request, { item_count, next_cursor })) context.limited(limit);
  return reply.type('application/json; charset=utf-8').send(sendOnce(reply, json));
}

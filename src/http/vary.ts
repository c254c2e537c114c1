import type { FastifyReply } from 'fastify';

/**
 * Says that the answer depends on a field of the request (RFC 9110 section 12.5.5), beside those that were named
 * before, also by who sets headers for every answer. `name` is in lower case.
 */
export function varyBy(reply: FastifyReply, name: string): FastifyReply {
  return reply.header('vary', varied(reply, name));
}

/** What `Vary` has to say for an answer whose headers are written by hand. */
export function varied(reply: FastifyReply, name: string): string {
  const named = String(reply.getHeader('vary') ?? '').split(/ *, */);
  return [...new Set([...named, name])].filter((each) => each !== '').join(', ');
}

import type { FastifyReply } from 'fastify';

/**
 * The bytes as the framework takes them, their memory given back as soon as the system has them: waiting for the
 * garbage collector, the pages of a reader who catches up make it go over everything else every hundred pages, for as
 * long as all else in serving them takes.
 */
export function sendOnce({ raw }: FastifyReply, { buffer, byteOffset, length }: Uint8Array): Buffer {
  raw.once('finish', () => {
    if (buffer instanceof ArrayBuffer && length === buffer.byteLength) buffer.transfer(0);
  });
  return Buffer.from(buffer, byteOffset, length);
}

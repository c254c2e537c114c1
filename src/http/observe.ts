import type { FastifyReply, FastifyRequest } from 'fastify';
import { nobody } from './api.ts';
import type { EngineContext } from './context.ts';
import { concealed } from './url-secrets.ts';
import { whenClosed } from './when-closed.ts';

/**
 * Counts the request and, once it is answered or lost, writes its line. The query is left out: it is the caller's, and
 * may hold anything.
 */
export function observe(context: EngineContext, request: FastifyRequest, reply: FastifyReply): void {
  const begun = performance.now();
  const end = context.metrics.begin();
  request.principal = nobody;
  whenClosed(reply.raw, () => {
    const milliseconds = performance.now() - begun;
    const { url: route = 'none', config } = request.routeOptions;
    const bytesOut = request.bytesOut || Number(reply.getHeader('content-length') ?? 0);
    const status = reply.raw.statusCode;
    end({ route, method: request.method, status, seconds: milliseconds / 1000, bytesIn: request.bytesIn, bytesOut });
    const quiet = !context.logProbes && status < 400 && config.probe === true;
    context.log[quiet ? 'debug' : 'info'](
      {
        request_id: request.id,
        method: request.method,
        path: request.pathIsSecret ? concealed : pathOf(request.raw.url),
        route,
        status,
        actor: request.principal.actor,
        bytes_in: request.bytesIn,
        bytes_out: bytesOut,
        milliseconds: Math.round(milliseconds * 100) / 100,
        ...(reply.raw.writableFinished ? {} : { unfinished: true }),
      },
      'request',
    );
  });
}

function pathOf(url = ''): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

import type { Dispatcher } from 'undici';
import { ArtifactstoreError, type ErrorCode, errorCodes } from '../kernel/error.ts';

/** What an answer that is no success says: its problem document (RFC 9457) where there is one, else what the status means. */
export async function problemError({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ArtifactstoreError> {
  const text = await body.text();
  const problem = parse(text);
  const code = errorCodes.find((known) => known === problem.code) ?? statusCodes[statusCode] ?? 'internal';
  const retryAfterSeconds = parseRetryAfter(headers['retry-after']);
  const known = new Set(['type', 'title', 'status', 'detail', 'instance', 'code', 'field', 'info']);
  const more = Object.fromEntries(Object.entries(problem).filter(([key]) => !known.has(key)));
  const detail = typeof problem.detail === 'string' ? problem.detail : typeof problem.title === 'string' ? problem.title : undefined;
  return new ArtifactstoreError(code, detail ?? `The server answered ${statusCode} without saying why.`, {
    ...(typeof problem.field === 'string' ? { field: problem.field } : {}),
    info: {
      ...more,
      ...(typeof problem.info === 'object' && problem.info !== null ? problem.info : {}),
      status: statusCode,
      ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
    },
  });
}

/** For answers of proxies, and codes of a newer server. */
const statusCodes: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'route_not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'request_timeout',
  410: 'package_collected',
  411: 'length_required',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  416: 'range_not_satisfiable',
  422: 'invalid_value',
  429: 'server_unreachable',
  431: 'headers_too_large',
  502: 'server_unreachable',
  503: 'server_unreachable',
  504: 'server_unreachable',
  507: 'storage_full',
};

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Seconds, or a date (RFC 9110 section 10.2.3). */
function parseRetryAfter(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const until = Date.parse(value);
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}

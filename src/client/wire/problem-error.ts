import type { Dispatcher } from 'undici';
import { ArtifactstoreError, type ErrorCode, errorCodes } from '../../kernel/error.ts';
import { jsonObjectOf } from '../../kernel/format/json-text.ts';
import { beginning, mediaType } from './answer.ts';
import { wholeOf } from './bounded-body.ts';
import { foreignError, unexpectedAnswer } from './foreign-answer.ts';

/**
 * What an answer that is no success says: its problem document (RFC 9457), which is how the server answers; else what a
 * proxy or another service means by it.
 */
export async function problemError(answer: Dispatcher.ResponseData, url: string, slowSeconds?: number): Promise<ArtifactstoreError> {
  const { statusCode: status, headers } = answer;
  const isOurs = mediaType(headers['content-type']) === 'application/problem+json';
  // A problem that breaks off is a connection that does: what it says is not known.
  const bytes = isOurs ? await wholeOf(answer.body, mostProblemBytes, slowSeconds) : undefined;
  if (isOurs && bytes === undefined)
    return unexpectedAnswer({ url, status, headers, text: '' }, `its problem is longer than ${mostProblemBytes} bytes`);
  const text = bytes === undefined ? await beginning(answer.body) : new TextDecoder().decode(bytes);
  const problem = isOurs ? (jsonObjectOf(text) ?? {}) : {};
  const error = typeof problem.code === 'string' ? fromProblem(problem, status) : foreignError({ url, status, headers, text });
  const retryAfterSeconds = parseRetryAfter(headers['retry-after'], headers.date);
  if (retryAfterSeconds === undefined) return error;
  const { code, message, field, info } = error;
  return new ArtifactstoreError(code, message, {
    ...(field === undefined ? {} : { field }),
    info: { ...info, retry_after_seconds: retryAfterSeconds },
  });
}

/** One names up to 1,000 files or sessions. */
const mostProblemBytes = 8_388_608;

function fromProblem(problem: Readonly<Record<string, unknown>>, status: number): ArtifactstoreError {
  const code = errorCodes.find((known) => known === problem.code) ?? statusCodes[status] ?? 'internal';
  const known = new Set(['type', 'title', 'status', 'detail', 'instance', 'code', 'field', 'info']);
  const more = Object.fromEntries(Object.entries(problem).filter(([key]) => !known.has(key)));
  const detail = typeof problem.detail === 'string' ? problem.detail : typeof problem.title === 'string' ? problem.title : undefined;
  const info: Readonly<Record<string, unknown>> =
    typeof problem.info === 'object' && problem.info !== null ? { ...more, ...problem.info } : more;
  return new ArtifactstoreError(code, oneLine(detail ?? `The server answered ${status} without saying why.`), {
    ...(typeof problem.field === 'string' ? { field: problem.field } : {}),
    info: { ...info, ...(typeof info.hint === 'string' ? { hint: oneLine(info.hint) } : {}), status },
  });
}

/** A server can't put lines of its own among those of the command. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*[\n\r\u0085\u2028\u2029]\s*/g, ' ');
}

/** For codes of a newer server. */
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

/** Seconds, or a date (RFC 9110 section 10.2.3), which is counted from the server's own. */
function parseRetryAfter(value: string | string[] | undefined, date: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const until = Date.parse(value);
  const sent = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, (until - (Number.isNaN(sent) ? Date.now() : sent)) / 1000);
}

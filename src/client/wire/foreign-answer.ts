import { ArtifactstoreError, type ErrorCode } from '../../kernel/error.ts';
import { speaksHttps } from '../../runtime/connection-fault.ts';

/** An answer, as far as it tells who gave it. */
export interface Answered {
  /** What was asked, without its query. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** How its body begins; empty where it was not read. */
  readonly text: string;
}

/** What the server never answers like this: something else did, and `why` says by what one sees it. */
export function unexpectedAnswer(answer: Answered, why: string): ArtifactstoreError {
  return foreign('unexpected_answer', answer, why, lookAround);
}

/**
 * What an error means that the server itself did not send: it comes from a proxy, from another service, from the log-in
 * page of a network.
 */
export function foreignError(answer: Answered): ArtifactstoreError {
  const { status, text } = answer;
  if (status >= 300 && status < 400) return redirected(answer);
  if (speaksHttps(text))
    return foreign('server_unreachable', answer, 'it speaks https, and http was asked for', `write https:// in ${setting}`, {
      lasting: true,
    });
  const [code, why, hint] = meanings[status] ?? (status >= 520 && status <= 530 ? meanings[502] : undefined) ?? [];
  return foreign(code ?? 'unexpected_answer', answer, why ?? 'that is not an answer of artifactstore', hint ?? lookAround);
}

const setting = 'ARTIFACTSTORE_API_URL (or --api-url)';
const lookAround =
  `set ${setting} to the address of an artifactstore; if it is one, look ` +
  'at what is in front of it: a proxy, or the log-in page of a network';
const askProxy = 'this is not about the token of artifactstore: look at the proxy or firewall in front of it';
const lookBehind = 'is artifactstore running there, and does the proxy know its address and port?';

/** Those that proxies answer of themselves. */
const meanings: Readonly<Record<number, readonly [code: ErrorCode, why: string, hint: string]>> = {
  401: ['unauthorized', 'a proxy in front of the server asks who you are', askProxy],
  403: ['forbidden', 'a proxy in front of the server refuses', askProxy],
  407: ['unexpected_answer', 'a proxy on the way asks who you are', askProxy],
  408: ['request_timeout', 'a proxy in front of the server did not get the request in time', askProxy],
  411: [
    'length_required',
    'a proxy in front of the server needs to know the length',
    'let the proxy stream requests (nginx: proxy_request_buffering off)',
  ],
  413: [
    'body_too_large',
    'a proxy in front of the server takes no body of this size',
    'artifactstore itself takes files of any size: raise the limit of the proxy (nginx: client_max_body_size 0)',
  ],
  429: ['server_unreachable', 'a proxy in front of the server asks for fewer requests', 'send fewer at once (--jobs), or later'],
  431: ['headers_too_large', 'a proxy in front of the server takes no headers of this size', askProxy],
  502: ['server_unreachable', 'a proxy answers, and the server behind it does not', lookBehind],
  503: ['server_unreachable', 'a proxy answers, and the server behind it does not', lookBehind],
  504: ['server_unreachable', 'a proxy waited for the server behind it, and got no answer', `${lookBehind} nginx: proxy_read_timeout`],
  507: ['storage_full', 'a proxy in front of the server has no room', askProxy],
};

function redirected(answer: Answered): ArtifactstoreError {
  const target = redirectTarget(answer);
  if (target === undefined) return foreign('unexpected_answer', answer, 'it redirects without saying where', lookAround);
  const path = new URL(answer.url).pathname;
  const isMoved = target.pathname.endsWith(path) && target.origin !== new URL(answer.url).origin;
  const hint = isMoved
    ? `set ${setting} to ${target.origin}${target.pathname.slice(0, -path.length)} (plus the path in front of the API, if there is one)`
    : lookAround;
  return foreign(
    'unexpected_answer',
    answer,
    `it redirects to ${target.origin}${target.pathname}, and requests with a token are not sent on`,
    hint,
  );
}

/** Without its query, which may hold a secret. */
function redirectTarget({ url, headers }: Answered): URL | undefined {
  const { location } = headers;
  return typeof location === 'string' ? (URL.parse(location, url) ?? undefined) : undefined;
}

function foreign(
  code: ErrorCode,
  answer: Answered,
  why: string,
  hint: string,
  info: Readonly<Record<string, unknown>> = {},
): ArtifactstoreError {
  const { url, status, headers } = answer;
  const known = [headers['content-type'], quoted(titleOf(answer.text)), headers.server].filter((one) => typeof one === 'string');
  const sender = known.length === 0 ? '' : ` (${known.join(', ')})`;
  return new ArtifactstoreError(code, `${url} answered ${status}${sender}: ${why}.`, { info: { status, hint, ...info } });
}

function quoted(text: string): string | undefined {
  return text === '' ? undefined : `"${text}"`;
}

/** The title of a page, or the first line of a text; one line without control characters. */
export function titleOf(text: string): string {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1] ?? (/^\s*[<{[]/.test(text) ? '' : (text.trim().split('\n')[0] ?? ''));
  return title
    .replace(/[\s\p{Cc}\ufffd]+/gu, ' ')
    .trim()
    .slice(0, 80);
}

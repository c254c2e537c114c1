import { connectionLost, connectionWorks } from '../connection.ts';
import { tellServerTime } from '../parts/clock.ts';
import { apiBase } from '../router.ts';
import { credential, credentialRefused, csrfToken, session, token } from '../session.ts';
import { lookAgain } from './browser-session.ts';
import { brokenOff, otherPerson, problemOf, unreachable } from './problem.ts';

export interface Call {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Left out where undefined or empty. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Nothing that the browser has kept is taken for a part of the answer. */
  readonly uncached?: true;
}

/** The address of a route of the HTTP interface: `apiUrl('packages', { limit: 1 })`. */
export function apiUrl(path: string, query: Call['query'] = {}): string {
  const url = new URL(path, apiBase);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  return url.href;
}

/** Segments of a path from outside, each escaped. */
export function segments(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join('/');
}

/** Calls a route as whoever is signed in. Errors: a `Problem`, or the signal's own reason. */
export async function call(path: string, options: Call = {}): Promise<Response> {
  const { method = 'GET', query, json, body, headers, signal, uncached } = options;
  const asked = token.value;
  const by = credential();
  const askedAt = Date.now();
  const response = await fetch(apiUrl(path, query), {
    method,
    headers: {
      ...(asked === undefined ? {} : { authorization: `Bearer ${asked}` }),
      ...(asked === undefined ? ofOwnPage(method) : {}),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    // Without a token the browser has a cookie, or nobody is signed in.
    credentials: asked === undefined ? 'same-origin' : 'omit',
    redirect: 'error',
    ...(uncached === true ? { cache: 'no-store' as const } : {}),
    ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    connectionLost();
    throw unreachable();
  });
  connectionWorks();
  tellServerTime(response, askedAt);
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401) {
    credentialRefused(by, problem);
    // Somebody has signed in while it was on its way: what only looks is asked for by who is there now.
    if (method === 'GET' && (credential() ?? by) !== by && session.peek().asks === undefined) return await call(path, options);
  }
  // The cookie is of another session since, of the same person or not.
  if (problem.field === csrfField && asked === undefined) {
    if (by !== undefined && (credential() ?? by) === by) await lookAgain();
    if (by !== undefined && (credential() ?? by) !== by) return await call(path, options);
    if (session.peek().asks === 'other') throw otherPerson();
  }
  throw problem;
}

const csrfField = 'artifactstore-csrf';

/** What a change by the cookie needs. */
function ofOwnPage(method: string): Readonly<Record<string, string>> {
  const { value } = csrfToken;
  return value === undefined || method === 'GET' || method === 'HEAD' ? {} : { [csrfField]: value };
}

/** The same, for a JSON answer. Its shape is the caller's to name: the server holds itself to it. */
export async function callJson<T>(path: string, options: Call = {}): Promise<T> {
  return await jsonOf<T>(await call(path, { ...options, headers: { accept: 'application/json', ...options.headers } }));
}

/** The bytes of an answer. Errors: `broken_off` where it stops before its end, or an `AbortError`. */
export async function bytesOf(response: Response): Promise<Blob> {
  try {
    return await response.blob();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw brokenOff();
  }
}

/** What an answer says. One that breaks off says nothing: whether it was done is not known, as without an answer. */
export async function jsonOf<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw error instanceof SyntaxError ? await problemOf(response) : unreachable();
  }
}

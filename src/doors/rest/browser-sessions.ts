import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { fieldCount } from '../../http/field-count.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';

/** People whose browser has a cookie of this server in place of a token. Whoever signs them in, knows them. */
export interface BrowserSessions {
  /** By the cookies of a request; `ended` where they name a session that is none any more. */
  of(request: IncomingMessage): BrowserSession | 'ended' | undefined;
}

export interface BrowserSession {
  /** By which each request is identified. */
  readonly token: string;
  readonly csrfToken: string;
}

/** By it a page of ours says that a change is its own: a browser sends cookies with the requests of any page. */
export const csrfField = 'artifactstore-csrf';

const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Errors: `forbidden`, for a change without what the page of this session knows. */
export function requireOwnPage(request: IncomingMessage, { csrfToken }: Pick<BrowserSession, 'csrfToken'>): void {
  if (harmless.has(request.method ?? '')) return;
  const given = request.headers[csrfField];
  if (fieldCount(request, csrfField) === 1 && typeof given === 'string' && isSame(given, csrfToken)) return;
  throw new ArtifactstoreError(
    'forbidden',
    `A change by the cookie of the console needs the field ${csrfField} of its page: a page of somebody else cannot have it.`,
    { field: csrfField, info: { hint: 'load the console again; programs send a token in the Authorization field' } },
  );
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

export function sessionEnded(): ArtifactstoreError {
  return new ArtifactstoreError('unauthorized', 'You are not signed in to the console any more: sign in again.', { field: 'cookie' });
}

import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { nobody } from '../../http/api.ts';
import { fieldCount } from '../../http/field-count.ts';
import { shareOfAddress } from '../../http/shares.ts';
import type { Identified, Identity } from '../../identity/IDENTITY.ts';
import { allows, type Grant, observer, type Principal } from '../../kernel/access.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { keepRecent } from '../../runtime/keep-recent.ts';
import { type BrowserSessions, requireOwnPage, sessionEnded } from './browser-sessions.ts';

/**
 * What a route asks of its caller; what a caller may see and do is the registry's to say. `optional` is open to
 * everybody, and tells more to those with a token, `whoever` too, but not to a wrong one; `observe` is about the server
 * itself.
 */
export type Access = 'anonymous' | 'optional' | 'whoever' | 'read' | 'write' | 'observe';

export interface AuthOptions {
  readonly identity: Identity;
  /** Opens what is not `write` to callers without a token. A wrong token is still refused. */
  readonly anonymousRead: boolean;
  /** Who comes with a cookie in place of a token; nobody where absent. */
  readonly sessions?: BrowserSessions;
}

export type Caller = Pick<Identified, 'principal'> & Partial<Identified>;

const readers = observer(nobody.actor).grants;

/** Those without a token are as many as their addresses. */
const keptAddresses = 1_000;

/**
 * Who a request acts as, from its Authorization field (RFC 6750), or from the cookie of the console: `unauthorized`
 * when that is not enough for the route, and `forbidden` when the route asks for a right that the caller does not have,
 * or a change comes by a cookie from a page that is not ours.
 */
export function createAuthenticator({
  identity,
  anonymousRead,
  sessions,
}: AuthOptions): (request: FastifyRequest) => Caller | Promise<Caller> {
  const strangers = keepRecent<Principal>(keptAddresses);

  /** By what identified them, with the grants for everybody that they had then. */
  const widened = new WeakMap<Identified, { readonly everybody: readonly Grant[]; readonly caller: Caller }>();

  const forEverybody = (): readonly Grant[] => (anonymousRead ? readers : identity.anonymous);

  function strangerAt(address: string | undefined): Principal {
    const share = shareOfAddress(address);
    const { actor } = nobody;
    const grants = forEverybody();
    const known = strangers.get(share, () => ({ actor, share, grants }));
    return known.grants === grants ? known : { actor, share, grants };
  }

  /** What is for everybody is for those with a token, too: none should have to be left out to see more. */
  function asEverybody(identified: Identified): Caller {
    const everybody = forEverybody();
    const { principal } = identified;
    if (everybody.length === 0 || allows(principal, 'administer')) return identified;
    const known = widened.get(identified);
    if (known?.everybody === everybody) return known.caller;
    const caller = { ...identified, principal: { ...principal, grants: [...principal.grants, ...everybody] } };
    widened.set(identified, { everybody, caller });
    return caller;
  }

  return ({ raw, routeOptions }) => {
    const access = routeOptions.config.access ?? 'write';
    const { authorization } = raw.headers;
    const stranger = (): Caller => ({ principal: strangerAt(raw.socket.remoteAddress) });
    if (access === 'anonymous') return stranger();
    const session = authorization === undefined ? sessions?.of(raw) : undefined;
    if (authorization === undefined && session === undefined) {
      const caller = stranger();
      const { principal } = caller;
      if (access === 'optional' || access === 'whoever' || (access === 'read' && principal.grants.length > 0)) return caller;
      if (access === 'observe' && allows(principal, 'observe')) return caller;
      throw new ArtifactstoreError('unauthorized', 'This route needs a bearer token: send "Authorization: Bearer <token>".', {
        field: 'authorization',
      });
    }
    const check = (identified: Identified): Caller => {
      const caller = asEverybody(identified);
      if (access === 'observe' && !allows(caller.principal, 'observe'))
        throw new ArtifactstoreError(
          'forbidden',
          `${caller.principal.actor} may not see the server itself: the right "observe" is missing.`,
          {
            info: { right: 'observe', hint: 'the role admin has it, and so do tokens of the server (ARTIFACTSTORE_AUTH_TOKENS)' },
          },
        );
      return caller;
    };
    const unknown = (error: unknown): Caller => {
      if (access === 'optional' && isArtifactstoreError(error)) return stranger();
      throw error;
    };
    const tokenIn = (field: string): string => {
      requireOneField(raw);
      const token = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(field)?.[1];
      if (token === undefined)
        throw new ArtifactstoreError('unauthorized', 'The Authorization field does not have the form "Bearer <token>".', {
          field: 'authorization',
        });
      return token;
    };
    try {
      if (session === 'ended') throw sessionEnded();
      if (session !== undefined) requireOwnPage(raw, session);
      const identified = identity.identify(session?.token ?? tokenIn(authorization!));
      return identified instanceof Promise ? identified.then(check).catch(unknown) : check(identified);
    } catch (error) {
      return unknown(error);
    }
  };
}

/** Of several, whatever stands between could have gone by another one. */
function requireOneField(request: IncomingMessage): void {
  if (fieldCount(request, 'authorization') === 1) return;
  throw new ArtifactstoreError('unauthorized', 'The request has several Authorization fields: send one.', { field: 'authorization' });
}

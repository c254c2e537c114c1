import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Api, queryText } from '../../http/api.ts';
import type { SignIn, SignInRefusal } from '../../identity/IDENTITY.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { requireOwnPage } from '../rest/browser-sessions.ts';
import { clearCookie, cookiesOf, readBegun, setCookie, writeBegun } from './cookies.ts';
import { consolePlace } from './place.ts';
import { cookieSession } from './session-of.ts';
import type { Sessions } from './sessions.ts';

export interface SignInParts {
  /** Absent where nobody can sign in so. */
  readonly signIn: SignIn | undefined;
  readonly sessions: Sessions;
  /** Counts a limit that was met. */
  limited(bound: 'console_sessions'): void;
  readonly log: Pick<Logger, 'warn'>;
  /** Answers with the console's page. */
  sendPage(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
}

/** Why signing in did not work, as the page that says it is told: its status, and no more. */
const failures: Readonly<Record<SignInFailure, number>> = {
  denied: 403,
  state: 400,
  refused: 403,
  unknown: 404,
  nothing: 403,
  unavailable: 503,
  full: 503,
};

export type SignInFailure = SignInRefusal | 'unknown' | 'nothing' | 'unavailable' | 'full';

/** Longer than anybody takes, with a second factor. */
const longestMilliseconds = 600_000;

/** Sign-ins that a browser may have begun at once, in as many tabs: each takes up to 2 KiB of what it sends. */
const mostBegun = 4;

/** Routes below `/console/sign-in/`. What they answer is for one person, and kept nowhere. */
export function signInRoutes(api: Api, { signIn, sessions, limited, log, sendPage }: SignInParts): void {
  const answer = (reply: FastifyReply): FastifyReply =>
    reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' });
  /** From one of these routes, wherever a proxy has put them. */
  const goTo = (reply: FastifyReply, place: string): FastifyReply => answer(reply).code(303).header('location', `../${place}`).send();

  function fail(reply: FastifyReply, error: unknown, to: string): FastifyReply {
    if (!isArtifactstoreError(error)) throw error;
    log.warn({ reason: error.message }, 'somebody could not sign in to the console');
    if (error.info?.bound === 'console_sessions') limited('console_sessions');
    const query = new URLSearchParams({ reason: failureOf(error), ...(to === '' ? {} : { to }) });
    return goTo(reply, `sign-in/failed?${query}`);
  }

  api.get('/sign-in/session', async ({ raw }, reply) => {
    const choices = signIn?.choices() ?? [];
    const found = cookieSession(raw, signIn, sessions);
    // Those that are not in force go. None of them is one that somebody signs in by meanwhile.
    for (const { url, secret } of found?.sent.filter(({ session }) => session === undefined || session !== found.session) ?? []) {
      sessions.end(secret);
      reply.header('set-cookie', clearCookie(url, 'session', secret));
    }
    return answer(reply).send({
      choices: choices.map(({ issuer, label }) => ({ issuer, label })),
      csrf_token: found?.session?.csrfToken ?? null,
    });
  });

  api.get('/sign-in/start', async (request, reply) => {
    const query = queryOf(request);
    const to = consolePlace(query.get('to'));
    try {
      const choice = signIn?.choices().find(({ issuer }) => issuer === query.get('issuer'));
      if (signIn === undefined || choice === undefined) throw noSuchIssuer();
      const { address, memory } = await signIn.begin(choice.issuer);
      const begun = writeBegun({ ...memory, to, at: Date.now() });
      // Several tabs may be at the issuer at once. What is too much is the oldest: a browser sends it first.
      for (const old of cookiesOf(request.headers, choice.url, 'sign-in').slice(0, 1 - mostBegun))
        reply.header('set-cookie', clearCookie(choice.url, 'sign-in', old));
      reply.header('set-cookie', setCookie(choice.url, 'sign-in', begun, longestMilliseconds / 1000));
      return answer(reply).code(303).header('location', address).send();
    } catch (error) {
      return fail(reply, error, to);
    }
  });

  api.get('/sign-in/callback', async (request, reply) => {
    const query = queryOf(request);
    const found = (signIn?.choices() ?? [])
      .flatMap((choice) => cookiesOf(request.headers, choice.url, 'sign-in').map((value) => ({ choice, value })))
      .flatMap(({ choice, value }) => {
        const begun = readBegun(value, Date.now(), longestMilliseconds);
        return begun?.issuer === choice.issuer && begun.state === query.get('state') ? [{ choice, value, begun }] : [];
      })[0];
    try {
      if (found === undefined)
        throw new ArtifactstoreError('unauthorized', 'This browser did not begin it.', { info: { sign_in: 'state' } });
      const { choice, value, begun } = found;
      // Whatever comes of it, it counts once.
      reply.header('set-cookie', clearCookie(choice.url, 'sign-in', value));
      const { token, identified } = await signIn!.finish(begun, query);
      for (const before of cookiesOf(request.headers, choice.url, 'session')) {
        sessions.end(before);
        reply.header('set-cookie', clearCookie(choice.url, 'session', before));
      }
      const { secret, seconds } = sessions.begin(token, identified);
      reply.header('set-cookie', setCookie(choice.url, 'session', secret, seconds));
      return goTo(reply, consolePlace(begun.to));
    } catch (error) {
      return fail(reply, error, consolePlace(found?.begun.to ?? null));
    }
  });

  api.post('/sign-in/out', async ({ raw }, reply) => {
    const found = cookieSession(raw, signIn, sessions);
    if (found?.session !== undefined) requireOwnPage(raw, found.session);
    for (const { url, secret } of found?.sent ?? []) {
      sessions.end(secret);
      reply.header('set-cookie', clearCookie(url, 'session', secret));
    }
    return answer(reply).code(204).send();
  });

  api.route({
    method: ['GET', 'HEAD'],
    url: '/sign-in/failed',
    handler: async (request, reply) => {
      const reason = queryOf(request).get('reason') ?? '';
      return await sendPage(request, reply.code(Object.hasOwn(failures, reason) ? failures[reason as SignInFailure] : 400));
    },
  });
}

function noSuchIssuer(): ArtifactstoreError {
  return new ArtifactstoreError('malformed_request', 'Nobody can sign in by this issuer.', { field: 'issuer' });
}

function failureOf({ code, info }: ArtifactstoreError): SignInFailure {
  if (code === 'identity_unavailable') return 'unavailable';
  if (code === 'too_busy') return 'full';
  if (code === 'forbidden') return 'nothing';
  if (code === 'malformed_request') return 'unknown';
  return info?.sign_in === 'denied' || info?.sign_in === 'state' ? info.sign_in : 'refused';
}

function queryOf({ query }: FastifyRequest): URLSearchParams {
  return new URLSearchParams((query as { readonly [queryText]?: string } | null)?.[queryText] ?? '');
}

import { timingSafeEqual } from 'node:crypto';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Identified, SignIn } from '../IDENTITY.ts';
import type { IssuerConfig } from '../oidc/issuer-config.ts';
import { keepClients, type ReadReference, type SignInIssuer } from './client.ts';
import { signInRefused, signInUnavailable } from './refusal.ts';

export interface SignInParts {
  /** As of now. */
  issuers(): readonly IssuerConfig[];
  /** As `Identity.identify`. */
  identify(token: string): Identified | Promise<Identified>;
  readonly readReference: ReadReference;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Strangers can bring made-up codes, each of which is a question to the issuer. */
const mostAtOnce = 32;

/** Below the address of this server. */
const callback = 'console/sign-in/callback';

export function createSignIn({ issuers, identify, readReference, now }: SignInParts): SignIn {
  const clientOf = keepClients(readReference, now);
  let underWay = 0;

  const withConsole = (): readonly SignInIssuer[] => issuers().filter((each): each is SignInIssuer => each.console !== undefined);

  function issuerNamed(name: string): SignInIssuer {
    const found = withConsole().find((each) => each.name === name);
    if (found !== undefined) return found;
    throw new ArtifactstoreError('malformed_request', 'Nobody can sign in by this issuer: the access file has no client for it.', {
      field: 'issuer',
    });
  }

  async function bounded<T>(issuer: string, work: () => Promise<T>): Promise<T> {
    if (underWay >= mostAtOnce) throw signInUnavailable(issuer, `${underWay} others are signing in`);
    underWay += 1;
    try {
      return await work();
    } catch (error) {
      throw await explained(error, issuer);
    } finally {
      underWay -= 1;
    }
  }

  return {
    choices: () => withConsole().map(({ name, console: { label, url } }) => ({ issuer: name, label, url })),

    async begin(name) {
      const issuer = issuerNamed(name);
      return await bounded(name, async () => {
        const client = await clientOf(issuer);
        const { buildAuthorizationUrl, calculatePKCECodeChallenge, randomNonce, randomPKCECodeVerifier, randomState } = await import(
          'openid-client'
        );
        const memory = { issuer: name, state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
        const address = buildAuthorizationUrl(client, {
          redirect_uri: new URL(callback, issuer.console.url).href,
          scope: issuer.console.scopes.join(' '),
          state: memory.state,
          nonce: memory.nonce,
          code_challenge: await calculatePKCECodeChallenge(memory.verifier),
          code_challenge_method: 'S256',
        });
        return { address: address.href, memory };
      });
    },

    async finish(memory, query) {
      const issuer = issuerNamed(memory.issuer);
      if (!isSame(query.getAll('state'), memory.state)) throw signInRefused('state', 'the answer is not to what this browser asked');
      const token = await bounded(memory.issuer, async () => {
        const client = await clientOf(issuer);
        const { authorizationCodeGrant } = await import('openid-client');
        const address = new URL(callback, issuer.console.url);
        address.search = query.toString();
        const { id_token } = await authorizationCodeGrant(client, address, {
          expectedState: memory.state,
          expectedNonce: memory.nonce,
          pkceCodeVerifier: memory.verifier,
          idTokenExpected: true,
        });
        return id_token!;
      });
      return { token, identified: await identify(token) };
    },
  };
}

function isSame(given: readonly string[], state: string): boolean {
  const [one, ...others] = given.map((text) => Buffer.from(text));
  const wanted = Buffer.from(state);
  return one !== undefined && others.length === 0 && one.length === wanted.length && timingSafeEqual(one, wanted);
}

/** In our words, and without what the issuer answered: it may hold a code, a token or text of a stranger. */
async function explained(error: unknown, issuer: string): Promise<unknown> {
  if (error instanceof ArtifactstoreError) return error;
  const { AuthorizationResponseError, ClientError, ResponseBodyError } = await import('openid-client');
  if (error instanceof AuthorizationResponseError) {
    if (unavailableErrors.has(error.error)) return signInUnavailable(issuer, 'it says so itself');
    const denied = deniedErrors.has(error.error);
    return signInRefused(denied ? 'denied' : 'refused', denied ? 'it was denied at the issuer' : 'the issuer refused the question');
  }
  if (error instanceof ResponseBodyError)
    return error.status >= 500
      ? signInUnavailable(issuer, `it answered with the status ${error.status}`)
      : signInRefused('refused', 'the issuer did not take the code of this sign-in, or not this client');
  if (error instanceof ClientError) {
    if (error.cause instanceof ArtifactstoreError) return error.cause;
    if (error.cause instanceof Response && error.cause.status >= 500)
      return signInUnavailable(issuer, `it answered with the status ${error.cause.status}`);
    if (error.code === 'OAUTH_TIMEOUT') return signInUnavailable(issuer, 'it did not answer in time');
    return signInRefused('refused', "the issuer's answer does not hold");
  }
  return error;
}

const unavailableErrors: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable']);
const deniedErrors: ReadonlySet<string> = new Set(['access_denied', 'consent_required', 'login_required', 'interaction_required']);

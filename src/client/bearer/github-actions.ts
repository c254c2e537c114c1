import { Agent } from 'undici';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { jsonObjectOf } from '../../kernel/format/json-text.ts';
import { isLoopback } from '../../protocol/http-url.ts';
import { unverifiedClaims } from '../../protocol/jwt-claims.ts';
import { connectionCode, connectionFault, isLasting } from '../../runtime/connection-fault.ts';
import { titleOf } from '../wire/foreign-answer.ts';
import type { BearerSource } from './BEARER.ts';
import { claimedBy } from './renewed.ts';

export interface GitHubJob {
  /** What the job finds in `ACTIONS_ID_TOKEN_REQUEST_URL`; undefined where it is not set. */
  readonly requestUrl: string | undefined;
  /** What it finds in `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken: string | undefined;
  /** For whom the token has to be: exactly what the server's issuer has as `audience`. */
  readonly audience: string;
  /** From the request to the end of its answer; 10,000 by default. */
  readonly answerMilliseconds?: number;
}

/**
 * An id token of a job of GitHub Actions (permission `id-token: write`), as GitHub describes it in "OpenID Connect
 * reference": a GET of the request address with `&audience=` and the request token as bearer; the answer is JSON whose
 * `value` is the token. Forgejo and Gitea have the same. Each call is a request, which is not repeated here.
 */
export function tokenFromGitHubActions(job: GitHubJob): BearerSource {
  return {
    isFresh: true,
    async take() {
      const { requestUrl, requestToken } = job;
      if (!requestUrl || !requestToken) throw notAJob(requestUrl ? requestTokenName : requestUrlName);
      return tokenIn(await ask(addressOf(requestUrl, job.audience), requestToken, job.answerMilliseconds ?? 10_000));
    },
    hint: (refused) =>
      `compare the id token of this job (${claimedBy(refused)}) with what the server accepts; ARTIFACTSTORE_IDENTITY_AUDIENCE asks for another audience`,
  };
}

const requestUrlName = 'ACTIONS_ID_TOKEN_REQUEST_URL';
const requestTokenName = 'ACTIONS_ID_TOKEN_REQUEST_TOKEN';

interface Answer {
  readonly origin: string;
  readonly status: number;
  readonly text: string;
}

/** The request token goes over an encrypted connection, or nowhere. */
function addressOf(requestUrl: string, audience: string): URL {
  const url = URL.parse(requestUrl);
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))))
    throw new ArtifactstoreError('invalid_configuration', `${requestUrlName} is not an https:// address.`, { field: requestUrlName });
  // The rest of the query stays as GitHub wrote it.
  return new URL(`${url.href.replace(/#.*$/s, '')}${url.search === '' ? '?' : '&'}audience=${encodeURIComponent(audience)}`);
}

async function ask(url: URL, requestToken: string, milliseconds: number): Promise<Answer> {
  const agent = new Agent({ connections: 1, connect: { timeout: milliseconds } });
  const timeout = AbortSignal.timeout(milliseconds);
  try {
    const { statusCode, body } = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: { accept: 'application/json', authorization: `Bearer ${requestToken}`, 'user-agent': 'artifactstore' },
      signal: timeout,
    });
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of body as AsyncIterable<Uint8Array>) {
      parts.push(part);
      length += part.length;
      if (length > maximumAnswerBytes) break;
    }
    return { origin: url.origin, status: statusCode, text: new TextDecoder().decode(Buffer.concat(parts).subarray(0, maximumAnswerBytes)) };
  } catch (error) {
    const code = timeout.aborted ? 'TimeoutError' : (connectionCode(error) ?? 'unknown');
    const fault = connectionFault(code);
    const remedy = fault?.remedy === undefined ? {} : { hint: fault.remedy };
    throw unavailable(
      `can't be asked at ${url.origin}: ${fault?.text ?? `the connection failed (${code})`}`,
      fault !== undefined && isLasting(fault),
      { cause: code, ...remedy },
    );
  } finally {
    await agent.destroy();
  }
}

const maximumAnswerBytes = 65_536;

function tokenIn({ origin, status, text }: Answer): string {
  if (status === 200) {
    const value = jsonObjectOf(text)?.value;
    if (typeof value === 'string' && unverifiedClaims(value) !== undefined) return value;
    const title = titleOf(text);
    throw unavailable(`answered at ${origin} without an id token${title === '' ? '' : ` ("${title}")`}`, true, { status });
  }
  const isBusy = status === 408 || status === 429 || status >= 500;
  const hint = status === 401 || status === 403 ? { hint: 'the token of the request is only good while the job runs' } : {};
  throw unavailable(`answered ${status} at ${origin}, and gave no id token`, !isBusy, { status, ...hint });
}

function unavailable(what: string, lasting: boolean, info: Readonly<Record<string, unknown>>): ArtifactstoreError {
  return new ArtifactstoreError('identity_unavailable', `GitHub Actions ${what}.`, {
    info: { ...info, sent: false, ...(lasting ? { lasting } : {}) },
  });
}

function notAJob(name: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', `There is no id token to ask for: the variable ${name} is not set.`, {
    field: name,
    info: { hint: 'GitHub sets it for jobs with  permissions: { id-token: write }, and never for pull requests from forks' },
  });
}

import type { STSClientConfig } from '@aws-sdk/client-sts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { numericDate, unverifiedClaims } from '../protocol/jwt-claims.ts';
import { connectionFault } from '../runtime/connection-fault.ts';
import type { Session } from './renewed.ts';

export interface RoleRequest {
  /** Without a trailing slash; undefined means AWS itself, in `region`. */
  readonly stsEndpointUrl: string | undefined;
  readonly region: string;
  /** Undefined where the service reads from the token what it allows: then none is sent. */
  readonly roleArn: string | undefined;
  readonly sessionName: string;
  readonly sessionDurationSeconds: number;
  readonly webIdentityToken: string;
  /** What the names of its settings begin with, for messages: `ARTIFACTSTORE_S3_`. */
  readonly variables: string;
}

export interface AssumeRoleOptions {
  readonly now?: () => number;
  /** Until a connection is made; 5,000 by default. */
  readonly connectMilliseconds?: number;
  /** From the request to the end of its answer; 10,000 by default. */
  readonly answerMilliseconds?: number;
  /** How often the call is made before its failure counts; 3 by default. */
  readonly attempts?: number;
}

/**
 * Asks a security token service for keys in exchange for a token, without keys of its own. Errors:
 * `storage_unavailable`, naming the setting to look at. They carry the status and the code of the answer and nothing
 * else of it: a service may repeat the token.
 */
export async function assumeRoleWithWebIdentity(request: RoleRequest, options: AssumeRoleOptions = {}): Promise<Session> {
  const { now = Date.now, connectMilliseconds = 5000, answerMilliseconds = 10_000, attempts = 3 } = options;
  const [{ AssumeRoleWithWebIdentityCommand, STSClient }, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-sts'),
    import('@smithy/node-http-handler'),
  ]);
  let answer = '';
  const client = new STSClient({
    region: request.region,
    ...(request.stsEndpointUrl === undefined ? {} : { endpoint: request.stsEndpointUrl }),
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectMilliseconds,
      requestTimeout: answerMilliseconds,
      throwOnRequestTimeout: true,
    }),
    streamCollector: async (body: AsyncIterable<Uint8Array>) => {
      const bytes = await collect(body);
      answer = Buffer.from(bytes).toString('utf8');
      return bytes;
    },
    maxAttempts: attempts,
    // Never the machine's own profile: what is not in the configuration is not used.
    ignoreConfiguredEndpointUrls: true,
  } satisfies STSClientConfig);
  const askedAt = now();
  try {
    const abortSignal = AbortSignal.timeout(attempts * (connectMilliseconds + answerMilliseconds));
    const ask = () =>
      client.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: request.roleArn,
          RoleSessionName: request.sessionName,
          WebIdentityToken: request.webIdentityToken,
          DurationSeconds: request.sessionDurationSeconds,
        }),
        { abortSignal },
      );
    const { Credentials: given, $metadata } = await unlessOvertaken(ask, attempts);
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken) throw Object.assign(new Error('No keys'), { $metadata });
    const latest = askedAt + 1000 * request.sessionDurationSeconds;
    const expiresAtMilliseconds = endOf(given.Expiration, askedAt, latest);
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = given;
    return {
      keys: Object.freeze({ accessKeyId, secretAccessKey, sessionToken, expiresAtMilliseconds }),
      lifetimeMilliseconds: expiresAtMilliseconds - askedAt,
    };
  } catch (error) {
    throw refusalOf(error, answer, request, askedAt);
  } finally {
    client.destroy();
  }
}

/**
 * A store may make a record of a subject at its first visit, and answer 409 to all but one of those who come at the
 * same time.
 */
async function unlessOvertaken<Answer>(ask: () => Promise<Answer>, attempts: number): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const { $metadata: { httpStatusCode = undefined } = {} } = error as { $metadata?: { httpStatusCode?: number } };
      if (httpStatusCode !== 409 || attempt >= attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * Math.random()));
    }
  }
}

/**
 * As the service says, where its clock and ours agree well enough: keys never live longer than was asked for, nor end
 * before they are given.
 */
function endOf(expiration: Date | undefined, askedAt: number, latest: number): number {
  const said = expiration?.getTime() ?? Number.NaN;
  return said > askedAt && said < latest ? said : latest;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maximumAnswerBytes) throw new Error('an answer that is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const maximumAnswerBytes = 1_048_576;

function refusalOf(error: unknown, answer: string, request: RoleRequest, askedAt: number): ArtifactstoreError {
  const settings = {
    token: `${request.variables}WEB_IDENTITY_TOKEN_FILE`,
    role: `${request.variables}ROLE_ARN`,
    endpoint: `${request.variables}STS_ENDPOINT_URL`,
    duration: `${request.variables}SESSION_DURATION_SECONDS`,
  };
  const place = request.stsEndpointUrl ?? `AWS in ${request.region}`;
  const code = /<Code>\s*([A-Za-z0-9._-]{1,64})\s*<\/Code>/.exec(answer)?.[1];
  const { $metadata: { httpStatusCode: status = undefined } = {} } = error as { $metadata?: { httpStatusCode?: number } };
  if (status === undefined || code === undefined) {
    const what =
      status === undefined ? unreached(failureCode(error)) : `answers (${status}) otherwise than a security token service${leads(error)}`;
    return unavailable(`The address ${place} ${what}`, settings.endpoint);
  }
  const refusal = `The security token service at ${place} refuses (${status} ${code})`;
  const about = aboutByCode.get(code) ?? (status === 403 ? 'token' : status === 404 ? 'role' : undefined);
  const { roleArn } = request;
  // Only to explain a refusal: nothing is decided by it.
  const end = numericDate(unverifiedClaims(request.webIdentityToken)?.exp);
  if ((about === 'token' || about === 'any') && end !== undefined && end <= askedAt)
    return unavailable(`${refusal}: the token ended at ${new Date(end).toISOString()}`, settings.token);
  if (roleArn === undefined && status < 500)
    return unavailable(
      `${refusal} the token, without a role: it may want one, or the token names no policy that it has`,
      settings.role,
      settings.token,
    );
  if (about === 'token')
    return unavailable(`${refusal} the token, or the role ${roleArn} does not trust it`, settings.token, settings.role);
  if (about === 'role') return unavailable(`${refusal} the role ${roleArn}`, settings.role);
  if (status >= 500) return unavailable(`${refusal}; it fails by itself`, settings.endpoint);
  const asked = `a session of ${request.sessionDurationSeconds} seconds for the role ${roleArn}`;
  if (about === 'any')
    return unavailable(`${refusal} ${asked}: the token, the role or the duration`, settings.token, settings.role, settings.duration);
  return unavailable(`${refusal} ${asked}; the role may allow less`, settings.duration, settings.role);
}

/** Which setting a refusal is about. MinIO answers `InvalidParameterValue` for almost anything. */
const aboutByCode: ReadonlyMap<string, 'token' | 'role' | 'any'> = new Map([
  ['ExpiredTokenException', 'token'],
  ['ExpiredToken', 'token'],
  ['InvalidParameterValue', 'any'],
  ['InvalidIdentityToken', 'token'],
  ['IDPRejectedClaim', 'token'],
  ['IDPCommunicationError', 'token'],
  ['NoSuchEntity', 'role'],
]);

function unavailable(text: string, ...names: readonly [string, ...string[]]): ArtifactstoreError {
  return new ArtifactstoreError('storage_unavailable', `${text}. See ${names.join(' and ')}`, { field: names[0], info: { names } });
}

function unreached(code: string): string {
  const fault = connectionFault(code);
  if (fault === undefined) return `cannot be reached (${code})`;
  return `cannot be reached (${code}): ${fault.text}${fault.remedy === undefined ? '' : `; ${fault.remedy}`}`;
}

/** Where an answer that redirects leads, without what may be a secret in it. */
function leads(error: unknown): string {
  const { $response } = error as { readonly $response?: { readonly headers?: Readonly<Record<string, string>> } };
  const target = URL.parse($response?.headers?.location ?? '');
  return target === null ? '' : `: it redirects to ${target.origin}${target.pathname}`;
}

/** A word for a failure without an answer; never its message. */
function failureCode(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
}

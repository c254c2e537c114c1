import { isArtifactstoreError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import { type ConnectionFault, connectionCode, connectionFault, isLasting } from '../../runtime/connection-fault.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { unavailable } from '../failure.ts';

/** One request to the HTTP API of a Vault, below `/v1/`. */
export interface Question {
  readonly method: 'GET' | 'POST';
  /** With its segments encoded, and with its query. */
  readonly path: string;
  readonly token?: string;
  readonly body?: JsonObject;
}

export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  /** What the server says of itself, one of a few; a text of the server's is never repeated: it may hold anything. */
  readonly said: 'sealed' | 'no_route' | 'version_differs' | 'other';
}

export interface AskOptions {
  readonly place: string;
  readonly address: string;
  readonly namespace: string | undefined;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  readonly connectMilliseconds?: number;
  readonly answerMilliseconds?: number;
}

export interface Asker {
  /** Any answer that is one of a Vault that is not sealed. Errors: `secrets_unavailable`. */
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * Asks a Vault. A question that changes nothing is asked three times before its failure counts. Redirects are not
 * followed, since the token would follow them.
 */
export function createAsker(options: AskOptions): Asker {
  const { place, wait } = options;
  const client = createHttpClient({ ...options, longestBytes });

  async function once(question: Question): Promise<Answer> {
    const { status, bytes } = await client.ask({
      method: question.method,
      path: `/v1/${question.path}`,
      headers: headersOf(question, options),
      ...(question.body === undefined ? {} : { body: JSON.stringify(question.body) }),
    });
    return answerOf(status, bytes, place);
  }

  return {
    async ask(question) {
      for (let attempt = 1; ; attempt++) {
        const mayRepeat = question.method === 'GET' && attempt < attempts;
        try {
          const answer = await once(question);
          if (answer.said === 'sealed') throw unavailable(place, 'is sealed', 'unseal it, or wait until somebody has');
          if (answer.status < 500 && !passing.has(answer.status)) return answer;
          if (!mayRepeat) throw unavailable(place, `answers with the status ${answer.status}`, 'look at its log');
        } catch (error) {
          if (isArtifactstoreError(error)) throw error;
          const code = connectionCode(error);
          const fault = code === undefined ? undefined : connectionFault(code);
          if (!mayRepeat || (fault !== undefined && isLasting(fault))) {
            const what = fault?.text ?? `the connection failed (${code ?? 'unknown'})`;
            const mayBeDone = question.method === 'POST' && !(fault !== undefined && unreached.has(fault.kind));
            const unknown = mayBeDone ? '; whether it has done what it was asked is not known' : '';
            throw unavailable(
              place,
              `cannot be asked: ${what}${unknown}`,
              fault?.remedy ?? 'look whether it runs, and at its address',
              error,
            );
          }
        }
        await wait(pauseMilliseconds * 2 ** attempt);
      }
    },
    close: () => client.close(),
  };
}

const attempts = 3;
const pauseMilliseconds = 50;
/** A replica that is behind (412), and a limit of rate (429). */
const passing: ReadonlySet<number> = new Set([412, 429]);
/** Nobody was asked. */
const unreached: ReadonlySet<ConnectionFault['kind']> = new Set(['nobody', 'unknown_host', 'no_route']);
const longestBytes = 1_048_576;

function headersOf({ token, body }: Question, { namespace }: AskOptions): Record<string, string> {
  return {
    accept: 'application/json',
    // Asked for by agents that would otherwise answer a page of another site's script.
    'x-vault-request': 'true',
    ...(token === undefined ? {} : { 'x-vault-token': token }),
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

/** An answer without a body has none of the fields. */
function answerOf(status: number, bytes: Uint8Array, place: string): Answer {
  let body: JsonValue | undefined = {};
  if (bytes.length > 0) {
    try {
      body = parseJson(bytes);
    } catch {
      body = undefined;
    }
  }
  if (body === undefined || !isJsonObject(body)) {
    if (status >= 500) return { status, body: {}, said: 'other' };
    throw unavailable(place, `answers (${status}) otherwise than a Vault does`, 'is the address that of the Vault, with its port?');
  }
  return { status, body, said: saidIn(body) };
}

function saidIn({ errors }: JsonObject): Answer['said'] {
  const text = Array.isArray(errors) ? errors.filter((each) => typeof each === 'string').join('\n') : '';
  if (/\b(?:Vault|OpenBao) is sealed\b/i.test(text)) return 'sealed';
  if (/no handler for route|route entry not found/i.test(text)) return 'no_route';
  return /check-and-set parameter did not match/i.test(text) ? 'version_differs' : 'other';
}

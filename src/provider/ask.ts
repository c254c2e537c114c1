import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { connectionCode, connectionFault } from '../runtime/connection-fault.ts';
import { throwIfStopped } from '../runtime/stop.ts';
import { unavailableProvider } from './refusal.ts';

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Percent-encoded, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/**
 * One address that is asked. Errors: `provider_unavailable` where nothing comes back, or too much, or that it is too
 * busy for longer than the bound. Any other status is an answer. A question is made again for every try, since it may
 * be signed for a time.
 */
export interface Asker {
  ask(question: () => Question): Promise<Answer>;
  close(): Promise<void>;
}

export interface AskerOptions {
  /** For messages. */
  readonly place: string;
  /** `https://host`, without a trailing slash. */
  readonly address: string;
  /** How long a whole answer may take: control calls are short, those with bytes of objects are not. */
  readonly answerMilliseconds: number;
  readonly connectMilliseconds?: number;
  /** How long a rate limit is waited for altogether; 60,000 by default. */
  readonly limitMilliseconds?: number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
  readonly signal?: AbortSignal | undefined;
}

export function createAsker(options: AskerOptions): Asker {
  const { place, address, answerMilliseconds, connectMilliseconds = 5000, limitMilliseconds = 60_000, wait = sleep, signal } = options;
  const agent = new Agent({ connections: 8, connect: { timeout: connectMilliseconds }, headersTimeout: answerMilliseconds });

  async function once({ method, path, headers, body }: Question): Promise<Answer & { readonly retryAfter: string | undefined }> {
    const time = AbortSignal.timeout(connectMilliseconds + answerMilliseconds);
    const ends = signal === undefined ? time : AbortSignal.any([time, signal]);
    const response = await request(`${address}${path}`, {
      method,
      dispatcher: agent,
      signal: ends,
      headers: { 'user-agent': 'artifactstore', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > largestAnswerBytes) throw Object.assign(new Error('too long'), { code: tooLong });
      chunks.push(chunk);
    }
    const first = (value: string | string[] | undefined): string | undefined => (typeof value === 'string' ? value : value?.[0]);
    return {
      status: response.statusCode,
      contentType: first(response.headers['content-type']) ?? '',
      text: Buffer.concat(chunks).toString('utf8'),
      retryAfter: first(response.headers['retry-after']),
    };
  }

  return {
    async ask(question) {
      let waited = 0;
      for (let attempt = 1; ; attempt += 1) {
        throwIfStopped(signal);
        const asked = question();
        let answer: Awaited<ReturnType<typeof once>>;
        try {
          answer = await once(asked);
        } catch (error) {
          throwIfStopped(signal);
          const code = connectionCode(error) ?? 'unknown';
          if (code === tooLong) throw notWhatItWasTakenFor(place, `answers more than ${largestAnswerBytes} bytes`);
          // A request that changes something may have been done: whoever asked looks for what came of it.
          if (asked.method === 'GET' && attempt < attempts && connectionFault(code)?.kind === 'cut') continue;
          throw unreached(place, code, error);
        }
        const isBusy = answer.status === 503 && asked.method === 'GET' && attempt < attempts;
        if (answer.status !== 429 && !isBusy) return answer;
        const time = retryMilliseconds(answer.retryAfter) ?? 1000 * 2 ** attempt;
        if (waited + time > limitMilliseconds)
          throw unavailableProvider(
            place,
            `limits how often it is asked (${answer.status}), and wants ${Math.ceil(time / 1000)} seconds`,
            `try again in ${Math.ceil(time / 1000)} seconds; nothing was changed by this call`,
          );
        waited += time;
        await wait(time);
      }
    },
    close: () => agent.close(),
  };
}

/** Of an answer that no provider of this kind gives: a page of a proxy, a login form, another service. */
export function notWhatItWasTakenFor(place: string, what: string): Error {
  return unavailableProvider(place, what, 'look at --provider-url: is it the address of the API, and nothing in front of it?');
}

function unreached(place: string, code: string, cause: unknown): Error {
  const fault = connectionFault(code);
  const what = fault === undefined ? `cannot be reached (${code})` : `cannot be reached (${code}): ${fault.text}`;
  return unavailableProvider(place, what, fault?.remedy ?? 'look at --provider-url and at the way there; then run it again', cause);
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryMilliseconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(text.trim()) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, 1000 * seconds);
}

const attempts = 3;
const largestAnswerBytes = 1_048_576;
const tooLong = 'ANSWER_TOO_LONG';

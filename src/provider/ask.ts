import { setTimeout as sleep } from 'node:timers/promises';
import { connectionCode, connectionFault } from '../runtime/connection-fault.ts';
import { createHttpClient, type HttpAnswer, type HttpQuestion } from '../runtime/http-client.ts';
import { throwIfStopped } from '../runtime/stop.ts';
import { unavailableProvider } from './refusal.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Undefined where there is none, or not one alone. */
  header(name: string): string | undefined;
}

/**
 * One address that is asked. Errors: `provider_unavailable` where nothing comes back, or too much, or that it is too
 * busy for longer than the bound. Any other status is an answer. A question is made again for every try, since it may
 * be signed for a time.
 */
export interface Asker {
  ask(question: () => HttpQuestion): Promise<Answer>;
  close(): Promise<void>;
}

export interface AskerOptions {
  /** For messages. */
  readonly place: string;
  /** Whose address it is: that of the provider's API where absent, or that of the objects, for whoever proves keys. */
  readonly asked?: 'objects';
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
  const { limitMilliseconds = 60_000, wait = sleep, signal } = options;
  const client = createHttpClient({ ...options, longestBytes });

  return {
    async ask(question) {
      let waited = 0;
      for (let attempt = 1; ; attempt += 1) {
        throwIfStopped(signal);
        const asked = question();
        let answer: HttpAnswer;
        try {
          answer = await client.ask(asked);
        } catch (error) {
          throwIfStopped(signal);
          const code = connectionCode(error) ?? 'unknown';
          const kind = connectionFault(code)?.kind;
          if (kind === 'too_long') throw taken(options, `answers more than ${longestBytes} bytes to ${callOf(asked)}`);
          // A request that changes something may have been done: whoever asked looks for what came of it.
          if (asked.method === 'GET' && attempt < attempts && kind === 'cut') continue;
          throw unreached(options, asked, code, error);
        }
        const isBusy = answer.status === 503 && asked.method === 'GET' && attempt < attempts;
        if (answer.status !== 429 && !isBusy) return answerOf(answer);
        const time = retryMilliseconds(answer.header('retry-after')) ?? 1000 * 2 ** attempt;
        if (waited + time > limitMilliseconds)
          throw unavailable(
            options,
            `limits how often it is asked (${answer.status}), and wants ${Math.ceil(time / 1000)} seconds: ${callOf(asked)}`,
            `try again in ${Math.ceil(time / 1000)} seconds; nothing was changed by this call`,
          );
        waited += time;
        await wait(time);
      }
    },
    close: () => client.close(),
  };
}

function answerOf({ status, bytes, header }: HttpAnswer): Answer {
  return { status, contentType: header('content-type') ?? '', text: Buffer.from(bytes).toString('utf8'), header };
}

/** The step that was asked for. A query is left out: it may have a signature. */
function callOf({ method, path }: HttpQuestion): string {
  return `${method} ${path.replace(/\?.*/s, '')}`;
}

/** Of an answer that no provider of this kind gives: a page of a proxy, a login form, another service. */
export function notWhatItWasTakenFor(place: string, what: string): Error {
  return taken({ place }, what);
}

function taken(of: Pick<AskerOptions, 'place' | 'asked'>, what: string): Error {
  const address = of.asked === 'objects' ? 'store' : 'API';
  return unavailable(of, what, `look at ${settingOf(of)}: is it the address of the ${address}, and nothing in front of it?`);
}

function unreached(of: AskerOptions, asked: HttpQuestion, code: string, cause: unknown): Error {
  const fault = connectionFault(code);
  const what = `cannot be reached for ${callOf(asked)} (${code})${fault === undefined ? '' : `: ${fault.text}`}`;
  return unavailable(of, what, fault?.remedy ?? `look at ${settingOf(of)} and at the way there; then run it again`, cause);
}

function unavailable({ place, asked }: Pick<AskerOptions, 'place' | 'asked'>, what: string, hint: string, cause?: unknown): Error {
  return unavailableProvider(place, what, hint, cause, asked);
}

function settingOf({ asked }: Pick<AskerOptions, 'asked'>): string {
  return asked === 'objects' ? '--endpoint, the address of the objects (where it is left out: at --provider-url)' : '--provider-url';
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryMilliseconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(text.trim()) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, 1000 * seconds);
}

const attempts = 3;
const longestBytes = 1_048_576;

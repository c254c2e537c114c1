import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, JsonValue } from 'artifactstore';
import { isObject } from '../ingest/document.ts';
import type { Library } from '../tools.ts';

/** The progress events of a State Hub. */
export interface StateHub {
  readonly url: string;
  /** Whether it has an event of this type about this manifest; false too where it does not let itself be asked. */
  has(event: ProgressEvent): Promise<boolean>;
  /**
   * Makes the event one that State Hub has, once: looks for it before it is sent, and again before it is sent again
   * because an answer was lost; every sending has the same Idempotency-Key. Answers whether it had to be sent.
   */
  publish(event: ProgressEvent, key: string): Promise<'sent' | 'found'>;
}

export interface ProgressEvent {
  readonly event_type: string;
  readonly author: string;
  readonly workstream_id: string | null;
  readonly task_id: string | null;
  readonly summary: string;
  readonly detail: JsonObject & { readonly manifest_digest: string };
}

const waits = [0.25, 0.5, 1, 2];
const requestMilliseconds = 5000;

/** What is known when State Hub could not answer. */
interface Silence {
  readonly silence: string;
}

export function connectStateHub(library: Library, address: string, signal: AbortSignal): StateHub {
  const url = checkAddress(library, address);
  const endpoint = `${url}/progress/`;

  async function request(method: 'GET' | 'POST', target: string, init: RequestInit = {}): Promise<Answer | Silence> {
    try {
      const response = await fetch(target, {
        method,
        // A redirected POST would become a GET.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestMilliseconds)]),
        ...init,
      });
      const { status } = response;
      // 409: a sending with the same key is under way.
      if (status >= 500 || [408, 409, 429].includes(status)) return { silence: `it answered ${status}` };
      // A success that is a page is a proxy's, or the log-in page of a network: nothing was taken by it.
      if (response.ok && /html/i.test(response.headers.get('content-type') ?? '')) {
        await response.body?.cancel();
        throw notStateHub();
      }
      return { status, text: await response.text() };
    } catch (error) {
      signal.throwIfAborted();
      if (library.isArtifactstoreError(error)) throw error;
      return { silence: reasonOf(error) };
    }
  }

  function notStateHub(): Error {
    return new library.ArtifactstoreError('unexpected_answer', `What answers at ${url} is a page, not State Hub.`, {
      field: 'STATE_HUB_URL',
      info: {
        hint: 'is STATE_HUB_URL its address? If it is, look at what is in front of it: a proxy, or the log-in page of a network',
      },
    });
  }

  async function ask(event: ProgressEvent): Promise<boolean | Silence> {
    const query = new URLSearchParams({ event_type: event.event_type });
    if (event.workstream_id !== null) query.set('workstream_id', event.workstream_id);
    if (event.task_id !== null) query.set('task_id', event.task_id);
    const answer = await request('GET', `${endpoint}?${query}`, { headers: { accept: 'application/json' } });
    if (isSilence(answer)) return answer;
    return (
      answer.status === 200 &&
      eventsOf(library, answer.text).some(
        ({ event_type: type, detail }) =>
          type === event.event_type && isObject(detail) && detail.manifest_digest === event.detail.manifest_digest,
      )
    );
  }

  async function attempt(event: ProgressEvent, key: string): Promise<'sent' | 'found' | Silence> {
    const found = await ask(event);
    if (found !== false) return found === true ? 'found' : found;
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'idempotency-key': key };
    const answer = await request('POST', endpoint, { headers, body: JSON.stringify(event) });
    if (isSilence(answer)) return answer;
    const { status, text } = answer;
    if (status >= 200 && status < 300) return 'sent';
    throw new library.ArtifactstoreError(
      status === 401 || status === 403 ? 'forbidden' : 'invalid_configuration',
      `State Hub at ${url} refuses the link: it answered ${status}${text.trim() === '' ? '' : ` (${text.trim().slice(0, 200)})`}.`,
      { field: 'STATE_HUB_URL' },
    );
  }

  /** Again and again, while it is silent. */
  async function patiently<T>(step: () => Promise<T | Silence>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const outcome = await step();
      if (!isSilence(outcome)) return outcome;
      const wait = waits[tries];
      if (wait === undefined)
        throw new library.ArtifactstoreError('server_unreachable', `State Hub at ${url} can't be reached: ${outcome.silence}.`);
      await sleep(wait * 1000, undefined, { signal });
    }
  }

  return {
    url,
    has: (event) => patiently(() => ask(event)),
    publish: (event, key) => patiently(() => attempt(event, key)),
  };
}

function isSilence<T>(outcome: T | Silence): outcome is Silence {
  return typeof outcome === 'object' && outcome !== null && 'silence' in outcome;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A list, or an object with a list: both are common. */
function eventsOf(library: Library, text: string): readonly JsonObject[] {
  let value: JsonValue;
  try {
    value = library.parseJson(Buffer.from(text));
  } catch (error) {
    if (!library.isArtifactstoreError(error)) throw error;
    return [];
  }
  const list = isObject(value) ? (value.items ?? value.results ?? value.events) : value;
  return Array.isArray(list) ? (list as readonly JsonValue[]).filter(isObject) : [];
}

function reasonOf(error: unknown): string {
  const { name, cause, message } = error as Error & { readonly cause?: { readonly code?: string } };
  if (name === 'TimeoutError') return `it did not answer within ${requestMilliseconds / 1000} seconds`;
  return cause?.code === 'ECONNREFUSED' ? 'nothing listens there' : (cause?.code ?? message);
}

function checkAddress(library: Library, address: string): string {
  const url = URL.parse(address);
  const wrong = (text: string) =>
    new library.ArtifactstoreError('invalid_configuration', `STATE_HUB_URL ${text}.`, { field: 'STATE_HUB_URL' });
  if (url === null || !/^https?:$/.test(url.protocol)) throw wrong('is not an http:// or https:// address');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw wrong('has a user, password, query or fragment');
  return url.href.replace(/\/+$/, '');
}

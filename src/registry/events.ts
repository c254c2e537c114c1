import { ArtifactstoreError } from '../kernel/error.ts';
import { subjectKinds } from '../kernel/log/event.ts';
import { eventTypes } from '../kernel/views/fold.ts';
import type { Context } from './context.ts';
import { beyond, checkFilter, checkLimit } from './input.ts';
import { limits } from './limits.ts';
import type { ReadEvents } from './operations/events.ts';
import type { EventQuery, Events, LongPayload } from './REGISTRY.ts';

/** What is read of a long payload at a time: a database goes over the whole of it for each. */
const stretchBytes = 4_194_304;
const maximumWaitSeconds = limits.eventWaitSeconds;

export function createEvents(context: Context): Events {
  const { database } = context;

  /** Reads until there is something, or the time that the query is willing to wait is over. */
  async function waiting<P extends { readonly last_sequence: number }>(
    query: EventQuery,
    signal: AbortSignal | undefined,
    read: (input: ReadEvents) => Promise<P>,
    isEmpty: (page: P) => boolean,
  ): Promise<P> {
    const input = checkQuery(query);
    const deadline = performance.now() + checkWait(query.wait_seconds) * 1000;
    for (;;) {
      const page = await read(input);
      const left = deadline - performance.now();
      if (!isEmpty(page) || left <= 0 || signal?.aborted === true) return page;
      await database.waitForEvents(Math.max(page.last_sequence, input.since), left, signal);
    }
  }

  function longPayload(sequence: number, size: number): LongPayload {
    return {
      size_bytes: size,
      read: async (from) => (await database.read('event.payload', { sequence, from, length: stretchBytes })).bytes,
    };
  }

  return {
    page: (query = {}, signal) =>
      waiting(
        query,
        signal,
        (input) => database.read('event.page', input),
        (page) => page.items.length === 0,
      ),
    encodedPage: (query = {}, signal) =>
      waiting(
        query,
        signal,
        async (input) => {
          const { payload_size, ...page } = await database.read('event.short_page', input);
          return { ...page, long: payload_size === null ? null : longPayload(page.end_sequence, payload_size) };
        },
        (page) => page.item_count === 0,
      ),
  };
}

function checkQuery(query: EventQuery): ReadEvents {
  const since = query.since ?? 0;
  if (!Number.isSafeInteger(since) || since < 0)
    throw new ArtifactstoreError('malformed_request', '"since" must be a whole number, 0 or more.', { field: 'since' });
  checkName('event_type', query.event_type, eventTypes);
  checkName('subject_kind', query.subject_kind, subjectKinds);
  return {
    since,
    limit: checkLimit(query, 'event_page_items'),
    subject_kind: query.subject_kind ?? null,
    subject_id: checkFilter(query.subject_id, 'subject_id'),
    event_type: query.event_type ?? null,
  };
}

/** A name that no event can have would be answered with an empty log, for ever. */
function checkName(field: string, name: string | undefined, known: readonly string[]): void {
  if (name !== undefined && !known.includes(name))
    throw new ArtifactstoreError('malformed_request', `There is no ${field.replace('_', ' ')} "${name}".`, {
      field,
      info: { hint: `there are ${known.join(', ')}` },
    });
}

function checkWait(seconds = 0): number {
  if (!(seconds >= 0 && seconds <= maximumWaitSeconds))
    throw new ArtifactstoreError('malformed_request', `"wait" must be 0 to ${maximumWaitSeconds} seconds.`, {
      field: 'wait',
      ...(seconds > maximumWaitSeconds ? beyond('event_wait') : {}),
    });
  return seconds;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import { subjectKinds } from '../kernel/log/event.ts';
import { eventTypes } from '../kernel/views/fold.ts';
import type { Access } from './access.ts';
import type { Context } from './context.ts';
import { beyond, checkFilter, checkLimit } from './input.ts';
import { limits } from './limits.ts';
import type { FoundEvents, ReadEvents, ShortEventPage } from './operations/events/events.ts';
import { oneRangeOf } from './operations/events/ranges.ts';
import type { Sight } from './operations/events/scan.ts';
import type { EncodedEventPage, EventPage, EventQuery, Events, LongPayload } from './REGISTRY.ts';

/** What is read of a long payload at a time: a database goes over the whole of it for each. */
const stretchBytes = 4_194_304;
const maximumWaitSeconds = limits.eventWaitSeconds;
/**
 * Whoever sees a part of the log has its events looked for in stretches, each a read of its own that takes a few
 * milliseconds, and others have their turns between them. A page ends with what was found in so many.
 */
export interface Stretches {
  readonly eventStretch: number;
  readonly eventsLookedAt: number;
}

/** A reader who waits for its own events looks at those of others together, and not at each as it comes. */
const gatherMilliseconds = 200;

/** What is told of every page, however it is made. */
interface PageEnd {
  readonly next_since: number;
  readonly last_sequence: number;
}

export function createEvents(
  { database }: Pick<Context, 'database'>,
  { reads, observes }: Pick<Access, 'reads' | 'observes'>,
  { eventStretch, eventsLookedAt }: Stretches = limits,
): Events {
  const all_packages = reads === 'everything';
  const whole = all_packages && observes;
  const sight: Sight = { reads, observes };

  /** Where the events of the next page are; its records are read after, and never more than those. */
  async function find(input: ReadEvents): Promise<FoundEvents> {
    const sequences: number[] = [];
    let bytes = 0;
    let { since } = input;
    for (let looked = eventStretch; ; looked += eventStretch) {
      const limit = input.limit - sequences.length;
      const found = await database.read('event.scan', { ...input, since, limit, bytes, span: whole ? limit : eventStretch, sight });
      sequences.push(...found.sequences);
      bytes = found.bytes;
      since = found.next_since;
      const { full, last_sequence } = found;
      if (full || since >= last_sequence || looked >= eventsLookedAt)
        return { sequences, bytes, next_since: since, last_sequence, whole, all_packages };
    }
  }

  async function readPage(input: ReadEvents): Promise<EventPage> {
    if (whole && oneRangeOf(input) !== undefined) return database.read('event.page', input);
    return database.read('event.found', await find(input));
  }

  async function readEncodedPage(input: ReadEvents): Promise<EncodedEventPage> {
    const { left_out, ...page }: ShortEventPage =
      whole && oneRangeOf(input) !== undefined
        ? await database.read('event.short_page', input)
        : await database.read('event.short_found', await find(input));
    return { ...page, long: left_out === null ? null : longPayload(left_out) };
  }

  /** Reads until there is something, or the time that the query is willing to wait is over. */
  async function waiting<P extends PageEnd>(
    query: EventQuery,
    signal: AbortSignal | undefined,
    read: (input: ReadEvents) => Promise<P>,
    isEmpty: (page: P) => boolean,
  ): Promise<P> {
    let input = checkQuery(query);
    const deadline = performance.now() + checkWait(query.wait_seconds) * 1000;
    const left = (): number => deadline - performance.now();
    for (;;) {
      const page = await read(input);
      const isAtEnd = page.next_since >= page.last_sequence;
      if (!isEmpty(page) || !isAtEnd || left() <= 0 || signal?.aborted === true) return page;
      // What was looked at is not looked at again.
      input = { ...input, since: page.next_since };
      await database.waitForEvents(input.since, left(), signal);
      if (!whole && left() > 0)
        await sleep(Math.min(gatherMilliseconds, left()), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }

  function longPayload({ sequence, size_bytes }: NonNullable<ShortEventPage['left_out']>): LongPayload {
    return {
      size_bytes,
      read: async (from) => (await database.read('event.payload', { sequence, from, length: stretchBytes })).bytes,
    };
  }

  return {
    page: (query = {}, signal) => waiting(query, signal, readPage, (page) => page.items.length === 0),
    encodedPage: (query = {}, signal) => waiting(query, signal, readEncodedPage, (page) => page.item_count === 0),
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

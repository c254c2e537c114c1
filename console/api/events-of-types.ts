import { callJson } from './call.ts';
import type { EventPage, EventRecord } from './records.ts';

const pageEvents = 500;
const pagesOfType = 20;

export interface EventsRead {
  readonly items: readonly EventRecord[];
  /** False where there are more than were read. */
  readonly complete: boolean;
}

/** The events of some types after a sequence, up to 10,000 of each. */
export async function eventsOfTypes(types: readonly string[], since: number, signal: AbortSignal): Promise<EventsRead> {
  const read = await Promise.all(types.map((type) => ofType(type, since, signal)));
  return { items: read.flatMap(({ items }) => items), complete: read.every(({ complete }) => complete) };
}

async function ofType(event_type: string, since: number, signal: AbortSignal): Promise<EventsRead> {
  const items: EventRecord[] = [];
  let from = since;
  for (let page = 0; page < pagesOfType; page++) {
    const found = await callJson<EventPage>('events', { query: { event_type, since: from, limit: pageEvents }, signal });
    items.push(...found.items);
    from = found.next_since;
    if (from >= found.last_sequence) return { items, complete: true };
  }
  return { items, complete: false };
}

/** Up to where the log was before a time (RFC 3339), by halving: one small event is read for each half. */
export async function sequenceBefore(time: string, last: number, signal: AbortSignal): Promise<number> {
  let low = 0;
  let high = last;
  while (high - low > pageEvents) {
    const middle = Math.floor((low + high) / 2);
    const { items } = await callJson<EventPage>('events', {
      query: { event_type: 'v1.package.created', since: middle, limit: 1 },
      signal,
    });
    const [event] = items;
    if (event !== undefined && event.created_at < time) low = Math.min(event.sequence, high - 1);
    else high = middle;
  }
  return low;
}

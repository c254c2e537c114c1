import type { EventPage, EventQuery, Events } from '../registry/REGISTRY.ts';
import { queryText } from './wire/request.ts';
import { eventPageShape } from './wire/shape.ts';
import type { Transport } from './wire/transport.ts';

export function remoteEvents(transport: Transport): Events {
  const read = async (query: EventQuery, signal: AbortSignal | undefined): Promise<{ value: EventPage; bytes: Uint8Array }> => {
    const { wait_seconds: wait, ...rest } = query;
    // The wire knows whole seconds.
    const path = `/events${queryText({ ...rest, wait: wait === undefined ? undefined : Math.ceil(wait) })}`;
    return await transport.exchange({ method: 'GET', path, headers: { accept: 'application/cbor' }, repeatable: true, signal }, (answer) =>
      answer.cbor(eventPageShape),
    );
  };
  return {
    page: async (query = {}, signal) => (await read(query, signal)).value,
    encodedPage: async (query = {}, signal) => {
      const { value, bytes } = await read(query, signal);
      const { items, next_since, last_sequence } = value;
      return { bytes, item_count: items.length, next_since, last_sequence, long: null };
    },
  };
}

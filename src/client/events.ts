import { decodeCbor } from '../kernel/cbor.ts';
import type { EventPage, EventQuery, Events } from '../registry/REGISTRY.ts';
import { queryText } from './request.ts';
import type { Transport } from './transport.ts';

export function remoteEvents(transport: Transport): Events {
  const read = async (query: EventQuery, signal: AbortSignal | undefined): Promise<Uint8Array> => {
    const { wait_seconds: wait, ...rest } = query;
    // The wire knows whole seconds.
    const path = `/events${queryText({ ...rest, wait: wait === undefined ? undefined : Math.ceil(wait) })}`;
    return await transport.exchange({ method: 'GET', path, headers: { accept: 'application/cbor' }, repeatable: true, signal }, (answer) =>
      answer.bytes(),
    );
  };
  return {
    page: async (query = {}, signal) => decodeCbor(await read(query, signal)) as unknown as EventPage,
    encodedPage: async (query = {}, signal) => {
      const bytes = await read(query, signal);
      const { items, last_sequence } = decodeCbor(bytes) as unknown as EventPage;
      return { bytes, item_count: items.length, end_sequence: items.at(-1)?.sequence ?? query.since ?? 0, last_sequence };
    },
  };
}

import { chainCheck, type LoggedEvent } from './chain.ts';
import type { FromLogWorker, ShownEvent, ToLogWorker } from './messages.ts';
import { type StreamText, streamText } from './stream-text.ts';
import { membersOf, summaryOf } from './summary.ts';

/** A payload is shown up to here: the sealing of many files has tens of megabytes. */
export const shownPayload = 4_096;

/** Reads streams of events one after the other, and follows their chain from one to the next. */
export function readStreams(blake3: (bytes: Uint8Array) => string): (message: ToLogWorker) => FromLogWorker {
  let stream: StreamText = streamText();
  let chain = chainCheck(blake3);
  let position = 0;
  return (message) => {
    if (message.kind !== 'bytes') {
      stream = streamText();
      if (message.kind === 'reset') {
        chain = chainCheck(blake3);
        position = 0;
      }
      return { items: [], position };
    }
    const items: ShownEvent[] = [];
    for (const { id, data } of stream.push(message.bytes)) {
      // What came already, before the stream was cut, is not there twice.
      if (data !== '' && (id === undefined || id > position)) items.push(shown(JSON.parse(data) as LoggedEvent, chain));
      if (id !== undefined && id > position) position = id;
    }
    return { items, position };
  };
}

function shown(event: LoggedEvent, chain: ReturnType<typeof chainCheck>): ShownEvent {
  const link = chain.next(event);
  const { payload, ...header } = event;
  const text = JSON.stringify(payload, null, 2);
  return {
    ...header,
    payload_text: text.slice(0, shownPayload),
    payload_length: text.length,
    summary: summaryOf(payload),
    found_bad: header.event_type === 'v1.storage.location_verified' && membersOf(payload).result === 'failed',
    link,
  };
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { inListTurn } from '../../../http/list-turns.ts';
import type { MemoryAccount } from '../../../http/memory.ts';
import { breakOff, disconnectSignal, write } from '../../../http/send.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../../kernel/error.ts';
import { decodeCbor } from '../../../kernel/format/cbor.ts';
import { isJsonObject, type JsonValue } from '../../../kernel/format/json.ts';
import type { EncodedEventPage, EventQuery } from '../../../registry/REGISTRY.ts';
import { giveBack } from '../../../runtime/give-back.ts';
import type { RouteContext } from '../route.ts';
import { longPageBytes, streamTextOfLongPage } from './long-event-pages.ts';
import { isLongest, type LongestEventPage, streamOfLongestPage } from './longest-event-page.ts';

/**
 * The log as Server-Sent Events, each with its sequence as id, its type as event, and its record as JSON. One page is
 * read when the last was taken: a slow reader holds up nobody and fills no memory. A sign of life where there is no
 * event has an id too, when the log was looked at beyond the last one. It ends when the server stops, and
 * when the reader may do something else than at its beginning; the reader resumes with Last-Event-ID.
 */
export async function sendEventStream(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  query: EventQuery,
  account: MemoryAccount,
): Promise<FastifyReply> {
  const { events } = request.registry;
  const signal = AbortSignal.any([disconnectSignal(reply), context.closing]);
  const response = reply.raw;
  const wait_seconds = context.limits.heartbeat / 1000;
  let since = query.since ?? 0;
  let told = since;
  let behind = false;
  let text: string | Uint8Array = '';
  let longest: LongestEventPage | undefined;
  await readBehind();
  // A reader that is behind would be waited for.
  const leaveBehind = (): void => void (response.writableLength > 0 && response.destroy());
  context.closing.addEventListener('abort', leaveBehind, { once: true });
  reply.hijack();
  try {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': request.id,
    });
    await send(': the log follows\n\n');
    // What was read before a grant was withdrawn is not sent after it: the reader comes again, as who it is then.
    while (!signal.aborted && (await isAsBefore())) {
      // Nobody else keeps what its reader is waited for.
      const its = text;
      text = '';
      if (its.length > 0) await send(its);
      if (longest !== undefined) await sendLongest(longest);
      // Those who catch up are many at times, and take turns with whoever asks for a page.
      if (behind) await readBehind();
      else await readNew();
    }
    response.end();
  } catch (error) {
    if (context.closing.aborted && isArtifactstoreError(error, 'cancelled')) response.end();
    else breakOff(context, request, reply, error);
  } finally {
    context.closing.removeEventListener('abort', leaveBehind);
  }
  return reply;

  async function isAsBefore(): Promise<boolean> {
    try {
      return await request.isAsBefore();
    } catch (error) {
      if (isArtifactstoreError(error)) return false;
      throw error;
    }
  }

  async function readBehind(): Promise<void> {
    await inListTurn(context, request, reply, async () => {
      const page = await events.encodedPage({ ...query, since });
      if (isLongest(page)) take(page, '');
      else take(page, page.bytes.length > longPageBytes ? await streamTextOfLongPage(page.bytes) : textOf(page.bytes));
    });
  }

  async function readNew(): Promise<void> {
    const page = await events.encodedPage({ ...query, since, wait_seconds }, signal);
    // All who follow have it at once: each makes its text in its turn.
    text = '';
    if (isLongest(page)) return take(page, '');
    if (page.bytes.length <= longPageBytes) return take(page, textOf(page.bytes));
    behind = true;
    giveBack(page.bytes);
  }

  /** A page as one text: its records are not kept while a reader is waited for. */
  function take(page: EncodedEventPage, its: string | Uint8Array): void {
    const { item_count, next_since, last_sequence } = page;
    longest = isLongest(page) ? page : undefined;
    since = next_since;
    behind = item_count > 0 || since < last_sequence;
    text = item_count > 0 ? its : signOfLife();
  }

  /** With it goes up to where the log was looked at: whoever comes back from there does not have it looked at again. */
  function signOfLife(): string {
    if (since <= told) return ':\n\n';
    told = since;
    return `:\nid: ${since}\n\n`;
  }

  async function sendLongest(page: LongestEventPage): Promise<void> {
    for await (const chunk of streamOfLongestPage(context, request, reply, account, page)) {
      // Half an event is none, and its reader comes again for it.
      if (signal.aborted) return void response.destroy();
      await send(chunk);
    }
  }

  async function send(text: string | Uint8Array): Promise<void> {
    request.bytesOut += Buffer.byteLength(text);
    await write(response, text);
    if (typeof text !== 'string') giveBack(text);
  }
}

/** Where a reader that was here before resumes: Last-Event-ID wins over `since`. */
export function lastEventId(request: FastifyRequest): { readonly since?: number } {
  const value = request.headers['last-event-id'];
  if (value === undefined || value === '') return {};
  const since = /^(?:0|[1-9]\d{0,15})$/.test(String(value)) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(since))
    throw new ArtifactstoreError('invalid_header', 'Last-Event-ID is not the sequence of an event.', { field: 'last-event-id' });
  return { since };
}

/** As bytes: the system would take three times the memory for a long text that waits for its reader. */
function textOf(page: Uint8Array): Uint8Array {
  const value = decodeCbor(page);
  return Buffer.from(isJsonObject(value) && Array.isArray(value.items) ? value.items.map(formatEvent).join('') : '');
}

function formatEvent(event: JsonValue): string {
  return isJsonObject(event) ? `id: ${event.sequence}\nevent: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n` : '';
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { inListTurn, leaveListTurn } from '../../../http/list-turns.ts';
import type { MemoryAccount } from '../../../http/memory.ts';
import { sendBytes } from '../../../http/send.ts';
import { varied } from '../../../http/vary.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { decodeCbor } from '../../../kernel/format/cbor.ts';
import { jsonOfStretches } from '../../../kernel/format/cbor-json.ts';
import { isJsonObject } from '../../../kernel/format/json.ts';
import { firstEventOf } from '../../../kernel/log/event-page.ts';
import type { EncodedEventPage, LongPayload } from '../../../registry/REGISTRY.ts';
import { giveBack } from '../../../runtime/give-back.ts';
import type { RouteContext } from '../route.ts';
import { rested } from '../sealed-manifests.ts';

/**
 * A page of one event that is longer than any page: the sealing of a package of many files, 50 MB and more. It is read,
 * made and sent in stretches of some megabytes, each in a turn of its caller. While a reader is waited for, nobody
 * else waits, and one stretch is in memory.
 */
export type LongestEventPage = EncodedEventPage & { readonly long: LongPayload };

export function isLongest(page: EncodedEventPage): page is LongestEventPage {
  return page.long !== null;
}

/** A stretch, and what is made of it. */
const memoryOfOne = 2 * 4_194_304;

/** A stream that was begun can't be refused any more. */
const streamWait = 30_000;

/** As CBOR or as JSON. Errors: `too_busy` where there is no memory for it. */
export async function sendLongestPage(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  account: MemoryAccount,
  page: LongestEventPage,
  type: 'application/cbor' | 'application/json',
): Promise<FastifyReply> {
  leaveListTurn(reply);
  await account.take(memoryOfOne);
  const { bytes, long } = page;
  const isCbor = type === 'application/cbor';
  const made = isCbor ? stretchesOf(page) : jsonOf(stretchesOf(page));
  await sendBytes(context, request, reply, {
    status: 200,
    headers: { 'content-type': type, vary: varied(reply, 'accept'), 'cache-control': 'no-store' },
    body: inTurns(context, request, reply, made),
    ...(isCbor ? { length: bytes.length - 1 + long.size_bytes } : {}),
  });
  return reply;
}

/** As a Server-Sent Event; each chunk is valid until the next is asked for. Errors: `too_busy`, before there is one. */
export async function* streamOfLongestPage(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  account: MemoryAccount,
  page: LongestEventPage,
): AsyncGenerator<Uint8Array, void, undefined> {
  await account.take(memoryOfOne, streamWait);
  try {
    const value = decodeCbor(page.bytes);
    const [event] = isJsonObject(value) && Array.isArray(value.items) ? value.items : [];
    if (!isJsonObject(event)) throw new TypeError('The page has no event.');
    yield Buffer.from(`id: ${event.sequence}\nevent: ${event.event_type}\ndata: `);
    yield* inTurns(context, request, reply, jsonOf(stretchesOf(page, firstEventOf(page.bytes).event)));
    yield Buffer.from('\n\n');
  } finally {
    account.give(memoryOfOne);
  }
}

/** The page's bytes from there on. */
async function* stretchesOf({ bytes, long }: LongestEventPage, start = 0): AsyncGenerator<Uint8Array, void, undefined> {
  const { payload } = firstEventOf(bytes);
  yield bytes.slice(start, payload);
  for (let from = 0; from < long.size_bytes; ) {
    const stretch = await long.read(from);
    if (stretch.length === 0) throw new ArtifactstoreError('integrity_failure', 'An event is shorter than it was.');
    from += stretch.length;
    yield stretch;
  }
  yield bytes.slice(payload + 1);
}

async function* jsonOf(stretches: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const json = jsonOfStretches();
  for await (const stretch of stretches) {
    const pieces: Uint8Array[] = [];
    await rested(json.push(stretch), (piece) => void pieces.push(Buffer.from(piece)));
    giveBack(stretch);
    yield pieces;
  }
  json.end();
}

/** Each stretch is made in a turn of its caller, and given back when it was sent. */
async function* inTurns(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  made: AsyncGenerator<Uint8Array | readonly Uint8Array[], void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (;;) {
      const next = await inListTurn(context, request, reply, async () => await made.next());
      if (next.done === true) return;
      for (const chunk of next.value instanceof Uint8Array ? [next.value] : next.value) {
        yield chunk;
        giveBack(chunk);
      }
    }
  } finally {
    await made.return();
  }
}

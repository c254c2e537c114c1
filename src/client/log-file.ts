import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { toHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { decodeCbor } from '../kernel/format/cbor.ts';
import { isJsonObject, parseJson } from '../kernel/format/json.ts';
import { linesOf } from '../kernel/format/lines.ts';
import { brokenLink, brokenPayload, chainStart, type LogHead, type StoredEvent } from '../kernel/log/event.ts';
import { readEventRecord } from '../kernel/log/event-page-decoder.ts';
import { localFileError } from '../runtime/file-error.ts';

export interface LogFileVerdict {
  readonly ok: boolean;
  /** The first event of the file; 0 where it has none. What is before it is not in the file, and not checked. */
  readonly firstSequence: number;
  /** The last good one, and its chain digest. */
  readonly sequence: number;
  readonly chain_digest: string;
  readonly reason?: string;
}

/**
 * Checks an exported log without the database: a file of JSON lines, as `events --json` prints them, or one page in
 * CBOR, as `GET /events` gives it. Each payload is encoded again: its digest is over the canonical CBOR, which JSON
 * carries whole.
 */
export async function verifyLogFile(
  path: string,
  field: string,
  onProgress: (done: number, total: number) => void,
): Promise<LogFileVerdict> {
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  let firstSequence = 0;
  const verdict = (reason?: string): LogFileVerdict => ({
    ok: reason === undefined,
    firstSequence,
    sequence: head.sequence,
    chain_digest: `blake3:${toHex(head.chain_digest)}`,
    ...(reason === undefined ? {} : { reason }),
  });
  try {
    for await (const { event, done, total } of eventsOf(path)) {
      if (typeof event === 'string') return verdict(event);
      const later = firstSequence === 0 && event.sequence > 1;
      const reason = later ? brokenPayload(event) : brokenLink(head, event);
      if (reason !== undefined) return verdict(reason);
      if (firstSequence === 0) firstSequence = event.sequence;
      head = { sequence: event.sequence, chain_digest: event.chain_digest };
      if (event.sequence % progressEvents === 0) onProgress(done, total);
    }
  } catch (error) {
    throw localFileError(error, path, 'read', { field });
  }
  return verdict();
}

const progressEvents = 1_000;
/** The most that one page holds is far below it. */
const maximumPageBytes = 256 * 1_048_576;

/** Events, or why a line is none. */
type Line = { readonly event: StoredEvent | string; readonly done: number; readonly total: number };

/** Opens it once, since a pipe can be read only once. */
async function* eventsOf(path: string): AsyncIterable<Line> {
  const { size } = await stat(path);
  const chunks: AsyncIterator<Buffer> = createReadStream(path)[Symbol.asyncIterator]();
  const first = await chunks.next();
  async function* all(): AsyncIterable<Buffer> {
    if (first.done === true) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  if (first.done !== true && pageHeads.includes(first.value[0]!)) {
    yield* pageOf(path, all());
    return;
  }
  let done = 0;
  let number = 0;
  for await (const line of linesOf(all())) {
    number += 1;
    done += Buffer.byteLength(line) + 1;
    if (line.trim() !== '') yield { event: parseLine(line, `line ${number}`), done, total: Math.max(size, done) };
  }
}

/** A map of two or three, in CBOR: a page of a backup, or of a server. */
const pageHeads: readonly number[] = [0xa2, 0xa3];

async function* pageOf(path: string, all: AsyncIterable<Uint8Array>): AsyncIterable<Line> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of all) {
    size += chunk.length;
    if (size > maximumPageBytes) throw new ArtifactstoreError('invalid_value', `"${path}" is too long for one page of events.`);
    chunks.push(chunk);
  }
  const page = decodeCbor(new Uint8Array(Buffer.concat(chunks)));
  const items = isJsonObject(page) ? page.items : undefined;
  if (!Array.isArray(items)) throw new ArtifactstoreError('invalid_value', `"${path}" is no page of events.`);
  for (const [index, item] of items.entries()) yield { event: storedEvent(item, `item ${index + 1}`), done: index, total: items.length };
}

function parseLine(line: string, where: string): StoredEvent | string {
  let value: unknown;
  try {
    value = parseJson(Buffer.from(line));
  } catch (error) {
    return `${where} is no event: ${(error as Error).message.replace(/\.$/, '')}`;
  }
  return storedEvent(value, where);
}

/** Throws `invalid_value` where it was given to somebody who sees a part of the log only: that is no sign of damage. */
function storedEvent(value: unknown, where: string): StoredEvent | string {
  if (typeof value === 'object' && value !== null && 'chain_digest' in value && value.chain_digest === null)
    throw new ArtifactstoreError('invalid_value', `This is a part of a log, which cannot be verified: ${where} has no chain digest.`, {
      info: { hint: partHint },
    });
  return readEventRecord(value) ?? `${where} is no event, or not the whole of it`;
}

const partHint = 'the token that it was read with sees a part of the log only: read it with one that has the role "admin"';

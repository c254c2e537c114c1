import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { createHasher } from '../src/kernel/content/digest.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Content {
  readonly size: number;
  /** The same bytes each time; the pieces are reused and must not be kept or changed. */
  pieces(): Iterable<Uint8Array>;
}

/**
 * Bytes that no store can know already: a new random first MiB, then the same random 64 MiB over and over. Little
 * memory and no time goes into making them, which is what a load generator on the same machine needs.
 */
export function newContent(size: number): Content {
  const first = randomFillSync(Buffer.allocUnsafe(Math.min(size, pieceBytes)));
  return {
    size,
    *pieces() {
      yield first;
      for (let at = first.length; at < size; at += pieceBytes) {
        const from = at % pool.length;
        yield pool.subarray(from, Math.min(from + pieceBytes, from + size - at));
      }
    },
  };
}

/** Sends a body as fast as the receiver takes it, a MiB at a time. */
export async function upload(method: string, url: string, headers: Readonly<Record<string, string>>, content: Content): Promise<Answer> {
  const call = request(url, { method, headers: { ...headers, 'content-length': String(content.size) }, agent: false });
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  let early = false;
  const stop = () => {
    early = true;
  };
  answered.then(stop, stop);
  for (const piece of content.pieces()) {
    if (early) break;
    if (!call.write(piece)) await Promise.race([new Promise((resolve) => call.once('drain', resolve)), answered]);
  }
  if (!early) call.end();
  const [response] = await answered;
  let body = '';
  for await (const text of response.setEncoding('utf8')) body += text;
  const answer = { status: response.statusCode ?? 0, headers: response.headers, body };
  if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${url}: ${answer.status} ${body}`);
  return answer;
}

/**
 * Reads a whole body from a raw socket into one reused buffer, and looks at nothing but its length: the leanest reader
 * there is, so that it is the server that is measured. Resolves to the number of bytes.
 */
export function download(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const { hostname, port, pathname, search, host } = new URL(url);
  return new Promise((resolve, reject) => {
    let head = '';
    let left = Number.NaN;
    let length = 0;
    const receive = (size: number, buffer: Uint8Array): boolean => {
      if (!Number.isNaN(left)) left -= size;
      else {
        const already = head.length;
        head += Buffer.from(buffer.buffer, buffer.byteOffset, size).toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return true;
        length = Number(/^content-length: *(\d+)\r?$/im.exec(head.slice(0, end))?.[1]);
        if (!head.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) {
          socket.destroy(new Error(`GET ${url}: ${head.slice(0, end)}`));
          return false;
        }
        left = length - (already + size - end - 4);
      }
      if (left <= 0) socket.destroy();
      return left > 0;
    };
    const socket = connect({
      host: hostname,
      port: Number(port),
      onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback: receive },
    });
    socket.once('error', reject);
    socket.once('close', () => (left === 0 ? resolve(length) : reject(new Error(`GET ${url}: ${left} bytes short`))));
    const lines = Object.entries({ host, connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`);
  });
}

/** What a client sends in `Repr-Digest` that knows its file. */
export function reprDigest(content: Content): string {
  const hasher = createHasher('blake3');
  for (const piece of content.pieces()) hasher.update(piece);
  return `blake3=:${Buffer.from(hasher.digest()).toString('base64')}:`;
}

const pieceBytes = 2 ** 20;
/** Small enough to stay in a core's cache: larger buffers read slower. */
const readBytes = 2 ** 18;
const pool = randomFillSync(Buffer.allocUnsafe(64 * pieceBytes));

import { refuse } from './refusal.ts';
import { type ChunkSigning, hmac, same, sha256 } from './signature.ts';

export interface Unchunked {
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string>>;
}

/** Takes an aws-chunked body apart, and checks its chunks' signatures where the mode has them. */
export function unchunk(encoded: Buffer, mode: string, signing: ChunkSigning, signaturesMatter: boolean): Unchunked {
  const signed = mode.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  const chunks: Buffer[] = [];
  let previous = signing.signature;
  let at = 0;

  function line(): string {
    const end = encoded.indexOf('\r\n', at);
    if (end === -1) throw refuse('IncompleteBody');
    const found = encoded.toString('latin1', at, end);
    at = end + 2;
    return found;
  }

  function check(kind: string, hashes: readonly string[], given: string | undefined): void {
    const expected = hmac(signing.key, [kind, signing.date, signing.scope, previous, ...hashes].join('\n')).toString('hex');
    if (signaturesMatter && !same(expected, given ?? '')) throw refuse('SignatureDoesNotMatch');
    previous = expected;
  }

  for (;;) {
    const head = /^([0-9a-f]+)(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line());
    if (head === null) throw refuse('IncompleteBody', { Message: 'The chunk is malformed' });
    const size = Number.parseInt(head[1]!, 16);
    const data = encoded.subarray(at, at + size);
    if (data.length < size) throw refuse('IncompleteBody');
    if (signed) check('AWS4-HMAC-SHA256-PAYLOAD', [sha256(''), sha256(data)], head[2]);
    if (size === 0) break;
    at += size;
    if (line() !== '') throw refuse('IncompleteBody', { Message: 'The chunk is longer than it says' });
    chunks.push(data);
  }
  const trailers: Record<string, string> = {};
  for (let next = line(); next !== ''; next = at < encoded.length ? line() : '') {
    const colon = next.indexOf(':');
    if (colon === -1) throw refuse('MalformedTrailerError');
    trailers[next.slice(0, colon).trim().toLowerCase()] = next.slice(colon + 1).trim();
  }
  if (signed && mode.endsWith('-TRAILER')) {
    const { 'x-amz-trailer-signature': given, ...rest } = trailers;
    const lines = Object.entries(rest).map(([name, value]) => `${name}:${value}\n`);
    check('AWS4-HMAC-SHA256-TRAILER', [sha256(lines.join(''))], given);
  }
  return { body: Buffer.concat(chunks), trailers };
}

import type { EventVector, Vectors } from './vectors.ts';

/** Puts the vectors into the marked places of docs/format.md. */
export function quoteVectors(markdown: string, vectors: Vectors): string {
  return markdown.replace(/<!-- vectors: (\w+) -->\n.*?<!-- end of vectors -->/gs, (_, name: string) => {
    const quote = quotes[name];
    if (quote === undefined) throw new Error(`there are no vectors named ${name}`);
    return `<!-- vectors: ${name} -->\n${quote(vectors)}\n<!-- end of vectors -->`;
  });
}

const quotes: Readonly<Record<string, (vectors: Vectors) => string>> = {
  digests: ({ digests }) =>
    table(
      ['length', 'BLAKE3', 'SHA-256'],
      digests.slice(0, 8).map((row) => [String(row.length), code(row.blake3), code(row.sha256)]),
    ),
  object_keys: ({ object_keys }) =>
    block(object_keys.map((row) => `${row.content_address}, generation ${row.generation}:\n  ${row.object_key}`).join('\n')),
  cbor: ({ cbor }) =>
    table(
      ['JSON', 'CBOR'],
      cbor.filter(({ jcs }) => /^[ -{}~]+$/.test(jcs) && jcs.length < 60).map((row) => [code(row.jcs), code(row.cbor)]),
    ),
  cbor_refused: ({ cbor_refused }) =>
    table(
      ['bytes', 'why'],
      cbor_refused.filter(({ cbor }) => cbor !== '').map((row) => [code(row.cbor), row.why]),
    ),
  manifest: ({ manifest }) =>
    `Manifest digest \`${manifest.digest}\`. As JSON:\n\n${block(manifest.jcs)}\n\nAs CBOR, ${manifest.cbor.length / 2} bytes:\n\n${block(wrapped(manifest.cbor))}`,
  chain: ({ chain }) =>
    [
      'The first event, byte by byte. Its payload as JSON, and as CBOR:',
      block(`${chain[0]!.payload_jcs}\n\n${wrapped(chain[0]!.payload)}`),
      'The link is `87` (an array of seven), `01` (sequence 1), `7818` (24 bytes of text) and the time, and so on to `7840` (64\nbytes of text) and the hex of the payload digest:',
      block(wrapped(chain[0]!.link)),
      `BLAKE3 over 32 zero bytes and these ${chain[0]!.link.length / 2} is the chain digest; the next event's starts with it. All five events:`,
      block(chain.map(eventLines).join('\n')),
    ].join('\n\n'),
  metadata_terms: ({ metadata_terms }) =>
    table(
      ['key', 'value', 'term'],
      metadata_terms.map((row) => [code(row.key), code(row.value), code(row.term)]),
    ),
  block_digests: ({ block_digests }) => block(wrapped(block_digests.digests, 64)),
};

function eventLines(event: EventVector): string {
  return [
    `${event.sequence}  ${event.created_at}  ${event.event_type}  ${event.subject_kind} ${event.subject_id}  ${event.actor}`,
    `   payload (${event.payload.length / 2} bytes) ${event.payload.length > 200 ? `${event.payload.slice(0, 64)} …` : event.payload}`,
    `   payload_digest ${event.payload_digest}`,
    `   chain_digest   ${event.chain_digest}`,
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function block(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``;
}

function wrapped(hex: string, width = 128): string {
  return hex.replace(new RegExp(`.{${width}}(?=.)`, 'g'), '$&\n');
}

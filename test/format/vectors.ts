import type { ContentAddress } from '../../src/kernel/content/address.ts';
import { blake3, sha256, toHex } from '../../src/kernel/content/digest.ts';
import { objectKey } from '../../src/kernel/content/key.ts';
import { decodeCbor, encodeCbor } from '../../src/kernel/format/cbor.ts';
import { canonicalJson, type JsonValue } from '../../src/kernel/format/json.ts';
import type { StoredEvent } from '../../src/kernel/log/event.ts';
import { fold, metadataTerm } from '../../src/kernel/views/fold.ts';
import { type ViewTable, viewKeys } from '../../src/kernel/views/view.ts';
import { refused, values } from './cbor-values.ts';
import { everyEvent, fileA, sealedPackage } from './sample-logs.ts';

/** What docs/format-vectors.json holds. Binary values are lowercase hex, JSON values are their RFC 8785 text. */
export interface Vectors {
  readonly format_version: 1;
  /** `length` bytes of 00 01 02 … fa 00 01 …: byte i is i mod 251. */
  readonly digests: readonly { readonly length: number; readonly blake3: string; readonly sha256: string }[];
  readonly block_digests: { readonly length: number; readonly block_bytes: number; readonly digests: string };
  readonly content_addresses: { readonly legal: readonly string[]; readonly refused: readonly string[] };
  readonly relative_paths: { readonly legal: readonly string[]; readonly refused: readonly string[]; readonly ordered: readonly string[] };
  readonly object_keys: readonly { readonly content_address: string; readonly generation: number; readonly object_key: string }[];
  readonly cbor: readonly { readonly jcs: string; readonly cbor: string }[];
  readonly cbor_refused: readonly { readonly cbor: string; readonly why: string }[];
  readonly metadata_terms: readonly { readonly key: string; readonly value: string; readonly term: string }[];
  readonly manifest: { readonly jcs: string; readonly cbor: string; readonly digest: string };
  /** A log whose last payload is the manifest above. */
  readonly chain: readonly EventVector[];
  /** A log with every type of event, and the rows of every view after it, as objects in the order of their keys. */
  readonly log: readonly EventVector[];
  readonly views: Readonly<Record<ViewTable, readonly JsonValue[]>>;
}

export interface EventVector {
  readonly sequence: number;
  readonly created_at: string;
  readonly event_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor: string;
  readonly payload_jcs: string;
  readonly payload: string;
  readonly payload_digest: string;
  /** The canonical CBOR that is hashed after the previous chain digest. */
  readonly link: string;
  readonly chain_digest: string;
}

export function buildVectors(): Vectors {
  const { chain, manifest } = sealedPackage();
  const log = everyEvent();
  return {
    format_version: 1,
    digests: [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 3072, 3073, 5121, 65_537].map((length) => ({
      length,
      blake3: toHex(blake3(pattern(length))),
      sha256: toHex(sha256(pattern(length))),
    })),
    block_digests: blockDigests(1_048_577),
    content_addresses: {
      legal: [`blake3:${'0a'.repeat(32)}`, `sha256:${'ff'.repeat(32)}`, 'x-other_1:00'],
      refused: [
        '',
        ':',
        'blake3',
        `blake3:`,
        ':00',
        `BLAKE3:${'0a'.repeat(32)}`,
        `blake3:${'0A'.repeat(32)}`,
        'blake3:0a',
        'x:0',
        '1x:00',
        'x:00 ',
        'x:0g',
      ],
    },
    relative_paths: {
      legal: [
        'a',
        'reports/2026/first run.pdf',
        '.hidden',
        '...',
        'a/..b',
        ' ',
        'caf\u00e9',
        'cafe\u0301',
        '\u{1f600}',
        '%2F',
        'con',
        'a:b',
        'é'.repeat(512),
      ],
      refused: [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        'a/./b',
        'a/../b',
        'a\\b',
        'a\u0000b',
        'a\nb',
        'a\u007f',
        'a\u0085',
        `${'é'.repeat(512)}x`,
      ],
      ordered: ['a', 'a b', 'a/b', 'a0', 'b', 'caf\u00e9', '\ue000', '\uffff', '\u{10000}'],
    },
    object_keys: [0, 1, 12].map((generation) => ({
      content_address: fileA.content_address,
      generation,
      object_key: objectKey(fileA.content_address as ContentAddress, generation),
    })),
    cbor: values.map((value) => ({ jcs: canonicalJson(value), cbor: toHex(encodeCbor(value)) })),
    cbor_refused: refused,
    metadata_terms: (
      [
        ['branch', 'main'],
        ['build', 42],
        ['signed', true],
        ['note', null],
      ] as const
    ).map(([key, value]) => ({ key, value: canonicalJson(value), term: metadataTerm(key, value) })),
    manifest: {
      jcs: canonicalJson(manifest),
      cbor: toHex(encodeCbor(manifest)),
      digest: `blake3:${toHex(blake3(encodeCbor(manifest)))}`,
    },
    chain: vectorsOf(chain),
    log: vectorsOf(log),
    views: foldAll(log),
  };
}

/** Byte i is i mod 251. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function vectorsOf(events: readonly StoredEvent[]): readonly EventVector[] {
  return events.map((event) => {
    const { sequence, created_at, event_type, subject_kind, subject_id, actor: by } = event;
    return {
      sequence,
      created_at,
      event_type,
      subject_kind,
      subject_id,
      actor: by,
      payload_jcs: canonicalJson(decodeCbor(event.payload)),
      payload: toHex(event.payload),
      payload_digest: toHex(event.payload_digest),
      link: toHex(encodeCbor([sequence, created_at, event_type, subject_kind, subject_id, by, toHex(event.payload_digest)])),
      chain_digest: toHex(event.chain_digest),
    };
  });
}

/** The rows of every view after the log, by key. */
function foldAll(events: readonly StoredEvent[]): Vectors['views'] {
  const views = new Map<ViewTable, Map<string, Record<string, JsonValue>>>();
  for (const table of Object.keys(viewKeys) as ViewTable[]) views.set(table, new Map());
  for (const event of events)
    for (const change of fold(event)) {
      const rows = views.get(change.table)!;
      const named = (change.kind === 'insert' || change.kind === 'upsert' ? change.row : change.key) as Readonly<Record<string, JsonValue>>;
      const key = viewKeys[change.table].map((column) => String(named[column])).join('\u0000');
      const there = rows.get(key);
      if (change.kind === 'insert' || (change.kind === 'upsert' && there === undefined)) rows.set(key, { ...named });
      else if (there !== undefined) {
        Object.assign(there, change.set);
        if (change.kind === 'increment')
          for (const [column, by] of Object.entries(change.by)) there[column] = Number(there[column]) + Number(by);
      }
    }
  const usage = views.get('producer_usage')!;
  for (const { producer, status, file_count, total_bytes } of views.get('artifact_packages')!.values()) {
    const sum = usage.get(String(producer)) ?? { producer: producer!, packages: 0, files: 0, bytes: 0 };
    usage.set(String(producer), sum);
    if (status !== 'created' && status !== 'finalized') continue;
    sum.packages = Number(sum.packages) + 1;
    sum.files = Number(sum.files) + Number(file_count);
    sum.bytes = Number(sum.bytes) + Number(total_bytes);
  }
  return Object.fromEntries(
    [...views].map(([table, rows]) => [table, [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row)]),
  ) as unknown as Vectors['views'];
}

function blockDigests(length: number): Vectors['block_digests'] {
  const bytes = pattern(length);
  const digests: string[] = [];
  for (let first = 0; first < length; first += 1_048_576) digests.push(toHex(blake3(bytes.subarray(first, first + 1_048_576))));
  return { length, block_bytes: 1_048_576, digests: digests.join('') };
}

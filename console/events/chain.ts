import { canonicalCbor } from './canonical-cbor.ts';

/** What an event says of itself; `chain_digest` is null to whoever sees a part of the log. */
export interface LoggedEvent {
  readonly sequence: number;
  readonly created_at: string;
  readonly event_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor: string;
  readonly payload: unknown;
  readonly payload_digest: string;
  readonly chain_digest: string | null;
}

/**
 * `follows`: its payload has its digest, and it follows from the event before. `begins`: the payload is right, and the
 * event before was not seen. `no_chain`: the payload is right, and the reader is shown no chain. The others are faults:
 * of the payload, of the chain, or of the order.
 */
export type Link = 'follows' | 'begins' | 'no_chain' | 'payload_differs' | 'chain_broken' | 'out_of_order';

export function isFault(link: Link): boolean {
  return link === 'payload_differs' || link === 'chain_broken' || link === 'out_of_order';
}

export interface ChainCheck {
  /** Looks at the next event, and tells what it found. */
  next(event: LoggedEvent): Link;
  /** What comes next does not follow from what was there: it was left out. */
  gap(): void;
}

const start = '00'.repeat(32);

/** Follows the chain of a log (docs/format.md, section 8). `blake3` answers lowercase hex. */
export function chainCheck(blake3: (bytes: Uint8Array) => string): ChainCheck {
  let before: { readonly sequence: number; readonly chain: string | null } | undefined;
  return {
    next(event) {
      const link = judge(event, before, blake3);
      before = { sequence: event.sequence, chain: hexOf(event.chain_digest) };
      return link;
    },
    gap() {
      before = undefined;
    },
  };
}

function judge(
  event: LoggedEvent,
  before: { readonly sequence: number; readonly chain: string | null } | undefined,
  blake3: (bytes: Uint8Array) => string,
): Link {
  const { sequence, created_at, event_type, subject_kind, subject_id, actor } = event;
  if (before !== undefined && sequence <= before.sequence) return 'out_of_order';
  const payload = blake3(canonicalCbor(event.payload));
  if (payload !== hexOf(event.payload_digest)) return 'payload_differs';
  const chain = hexOf(event.chain_digest);
  if (chain === null) return 'no_chain';
  const previous = sequence === 1 ? start : before?.sequence === sequence - 1 ? before.chain : null;
  if (previous === null) return 'begins';
  const link = canonicalCbor([sequence, created_at, event_type, subject_kind, subject_id, actor, payload]);
  const bytes = new Uint8Array(32 + link.length);
  for (let index = 0; index < 32; index++) bytes[index] = Number.parseInt(previous.slice(2 * index, 2 * index + 2), 16);
  bytes.set(link, 32);
  return blake3(bytes) === chain ? 'follows' : 'chain_broken';
}

function hexOf(digest: string | null): string | null {
  return digest === null ? null : digest.replace(/^blake3:/, '');
}

import { Buffer } from 'node:buffer';
import { type CborSteps, stepThroughCbor } from './cbor.ts';

/** So deep long values are taken apart; what lies deeper is made at once. */
const takenApart = 5;
const pieceCharacters = 65_536;

/** The JSON text of the value that comes next, in pieces of about 64 KiB: it is never in memory as a whole. */
export function jsonPiecesOf(steps: CborSteps): Generator<string, void, undefined> {
  return inPieces(textOf(steps, takenApart));
}

/** Steps over the value that comes next. Yields now and then, where others can be served. */
export function* stepOver(steps: CborSteps): Generator<undefined, void, undefined> {
  let length = 0;
  for (const text of textOf(steps, takenApart)) {
    length += text.length;
    if (length < pieceCharacters) continue;
    length = 0;
    yield;
  }
}

export function* inPieces(texts: Iterable<string>): Generator<string, void, undefined> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < pieceCharacters) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* textOf(steps: CborSteps, depth: number): Generator<string, void, undefined> {
  const text = createJsonText(depth);
  while (!text.isWhole()) yield text.next(steps);
}

/** The JSON text of one value, a step at a time. */
interface JsonText {
  isWhole(): boolean;
  /** The text of the next step. Where the bytes end too soon it throws, and only the place of `steps` has changed. */
  next(steps: CborSteps): string;
}

interface OpenValue {
  readonly end: ']' | '}';
  left: number;
  isFirst: boolean;
}

/** What lies deeper than `depth` is made at once. */
function createJsonText(depth: number): JsonText {
  const open: OpenValue[] = [];
  let begun = false;
  return {
    isWhole: () => begun && open.length === 0,
    next(steps) {
      const around = open.at(-1);
      if (around?.left === 0) {
        open.pop();
        return around.end;
      }
      const key = around?.end === '}' ? `${JSON.stringify(steps.key())}:` : '';
      const items = open.length < depth ? steps.into('array') : undefined;
      const members = open.length < depth && items === undefined ? steps.into('map') : undefined;
      const left = items ?? members;
      const text = left === undefined ? JSON.stringify(steps.value()) : items === undefined ? '{' : '[';
      const comma = around === undefined || around.isFirst ? '' : ',';
      begun = true;
      if (around !== undefined) {
        around.left -= 1;
        around.isFirst = false;
      }
      if (left !== undefined) open.push({ end: items === undefined ? '}' : ']', left, isFirst: true });
      return `${comma}${key}${text}`;
    },
  };
}

/** The JSON text of a value whose bytes come in stretches: no more of it is in memory than one of them. */
export interface JsonOfStretches {
  /** What the bytes so far have of it, in pieces of about 64 KiB; nothing once it is whole. */
  push(stretch: Uint8Array): Generator<string, void, undefined>;
  /** Throws `integrity_failure` where something is missing. */
  end(): void;
}

/** What is made at once is not longer: metadata of a package, or a file with its annotations. */
const mostAtOnce = 16_777_216;

export function jsonOfStretches(): JsonOfStretches {
  const text = createJsonText(takenApart);
  let rest: Uint8Array = new Uint8Array(0);

  function* texts(bytes: Uint8Array): Generator<string, void, undefined> {
    const steps = stepThroughCbor(bytes);
    let at = 0;
    while (!text.isWhole()) {
      let next: string;
      try {
        next = text.next(steps);
      } catch (error) {
        // What follows comes with the next stretch.
        if (bytes.length - at > mostAtOnce) throw error;
        break;
      }
      at = steps.at();
      yield next;
    }
    rest = Uint8Array.from(bytes.subarray(at));
  }

  return {
    push: (stretch) => inPieces(texts(rest.length === 0 ? stretch : Buffer.concat([rest, stretch]))),
    end() {
      while (!text.isWhole()) text.next(stepThroughCbor(rest));
    },
  };
}

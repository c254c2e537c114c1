import type { CborSteps } from './cbor.ts';

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
  const items = depth > 0 ? steps.into('array') : undefined;
  const members = depth > 0 && items === undefined ? steps.into('map') : undefined;
  if (items !== undefined) {
    yield '[';
    for (let index = 0; index < items; index++) {
      if (index > 0) yield ',';
      yield* textOf(steps, depth - 1);
    }
    yield ']';
  } else if (members !== undefined) {
    yield '{';
    for (let index = 0; index < members; index++) {
      yield `${index === 0 ? '' : ','}${JSON.stringify(steps.key())}:`;
      yield* textOf(steps, depth - 1);
    }
    yield '}';
  } else yield JSON.stringify(steps.value());
}

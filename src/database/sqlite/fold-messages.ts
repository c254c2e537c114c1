import type { Failure } from '../failure.ts';
import type { FoldedChunk } from '../replay.ts';
import type { RowWrites } from './row-writes.ts';

/** What the folding thread says. */
export type Folded =
  | ({ readonly kind: 'chunk' } & FoldedChunk<readonly RowWrites[]>)
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** Chunks that are made before they are asked for. */
export const foldedAhead = 2;

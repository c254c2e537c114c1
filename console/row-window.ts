/** So many rows are drawn or left out together. */
export const blockRows = 20;
/** Pixels of a row that was never drawn. */
const usualHeight = 48;

/** Which rows of a long list are drawn, and how much room is kept for the others. */
export interface RowWindow {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
  /** In pixels. */
  readonly above: number;
  readonly below: number;
}

/**
 * The rows between two heights of the list, in whole blocks. `heights` has those of the blocks that were drawn before;
 * the others are taken to be as high as these are on average.
 */
export function rowWindow(count: number, heights: readonly (number | undefined)[], from: number, to: number): RowWindow {
  const known = heights.filter((height) => height !== undefined);
  const usual = known.length === 0 ? usualHeight * blockRows : known.reduce((sum, height) => sum + height, 0) / known.length;
  const blocks = Math.ceil(count / blockRows);
  let first = blocks;
  let end = blocks;
  let above = 0;
  let below = 0;
  let top = 0;
  for (let block = 0; block < blocks; block++) {
    const rows = Math.min(blockRows, count - block * blockRows);
    const height = heights[block] ?? (usual * rows) / blockRows;
    if (top + height <= from) above += height;
    else if (top >= to) {
      end = Math.min(end, block);
      below += height;
    } else first = Math.min(first, block);
    top += height;
  }
  // Beyond the end there is nothing to see: the last block is drawn.
  if (first === blocks && blocks > 0 && from >= top) {
    first = blocks - 1;
    above -= heights[first] ?? (usual * (count - first * blockRows)) / blockRows;
  }
  return { first: Math.min(first, end) * blockRows, end: Math.min(end * blockRows, count), above, below };
}

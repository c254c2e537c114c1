/** An object that others change so often between publishing and committing is given up for now. */
export const maximumRounds = 100;

/**
 * Bytes are published under a generation's key first, and a transaction decides afterwards; when somebody was faster,
 * both are done again. Runs a round until it answers something, and answers undefined when every one was overtaken.
 */
export async function inRounds<T>(round: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let left = maximumRounds; left > 0; left--) {
    const settled = await round();
    if (settled !== undefined) return settled;
  }
  return undefined;
}

/**
 * The known names that somebody most likely meant, nearest first and none when all are far: by slips of the hand (PROT
 * for PORT), and by words that were left out, added or cut short (DB_URL for DATABASE_URL). Names that are equally near
 * are all given, up to three. Names are short: one that is not has none near it, and of many candidates the first are
 * looked at, so that whoever writes the names does not decide how long it takes.
 */
export function nearestNames(name: string, candidates: readonly string[]): readonly string[] {
  if (name.length > longestName) return [];
  const near = candidates
    .slice(0, mostCandidates)
    .filter((candidate) => candidate.length <= longestName)
    .map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }))
    .filter(({ distance }) => distance <= farthest)
    .sort((left, right) => left.distance - right.distance);
  return near
    .filter(({ distance }) => distance === near[0]?.distance)
    .map(({ candidate }) => candidate)
    .slice(0, 3);
}

const farthest = 3;
const longestName = 256;
const mostCandidates = 200;

function distanceOf(left: string, right: string): number {
  const slips = editDistance([...left], [...right], (a, b) => (a === b ? 0 : 1), 1);
  const words = editDistance(left.split('_'), right.split('_'), wordDistance, 2);
  // Three slips make another word of a short one.
  return Math.min(slips * 3 < left.length ? slips : Number.POSITIVE_INFINITY, words);
}

/** Two that have nothing in common cost more than one that was left out and one that was added. */
function wordDistance(left: string, right: string): number {
  if (left === right) return 0;
  if (isShortFor(left, right) || isShortFor(right, left)) return 1;
  const slips = editDistance([...left], [...right], (a, b) => (a === b ? 0 : 1), 1);
  return slips * 2 < Math.min(left.length, right.length) ? slips : 5;
}

/** DB for DATABASE, INTERVAL for INTERVALS: the same beginning, and letters in the same order. */
function isShortFor(short: string, long: string): boolean {
  if (short.length < 2 || short.length >= long.length || short[0] !== long[0]) return false;
  let at = 0;
  for (const letter of long) if (letter === short[at]) at += 1;
  return at === short.length;
}

/** What turns one row into the other, a swap of two neighbours being one slip. */
function editDistance<T>(left: readonly T[], right: readonly T[], substitution: (a: T, b: T) => number, added: number): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index * added)];
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row * added];
    for (let column = 1; column <= right.length; column += 1) {
      const [a, b] = [left[row - 1]!, right[column - 1]!];
      let best = Math.min(rows[row - 1]![column - 1]! + substitution(a, b), rows[row - 1]![column]! + added, current[column - 1]! + added);
      if (row > 1 && column > 1 && a === right[column - 2] && left[row - 2] === b) best = Math.min(best, rows[row - 2]![column - 2]! + 1);
      current.push(best);
    }
    rows.push(current);
  }
  return rows[left.length]![right.length]!;
}

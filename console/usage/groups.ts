/** What can be compared. */
export type Measure = 'bytes' | 'packages' | 'files';

export const measures: readonly Measure[] = ['bytes', 'packages', 'files'];

/** A row of the answer of `/usage`: what a producer has in one retention class. */
export interface UsageRow {
  readonly producer: string;
  readonly retention_class: string;
  readonly bytes: number;
  readonly packages: number;
  readonly files: number;
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** By class, in the order of the legend; what is nothing is left out. */
  readonly parts: readonly { readonly name: string; readonly value: number }[];
}

export interface Bars {
  /** The largest first. */
  readonly bars: readonly Bar[];
  /** Every class, the largest first. */
  readonly legend: readonly string[];
  /** The longest bar, at least 1. */
  readonly most: number;
  /** Bars that are not there, and how much they have together. */
  readonly leftOut: { readonly count: number; readonly value: number };
}

/** Bars of producers, or of classes, cut into the classes or into nothing. */
export function barsOf(rows: readonly UsageRow[], measure: Measure, by: 'producer' | 'retention_class', shown: number): Bars {
  const legend = largest(sums(rows, 'retention_class', measure)).map(([name]) => name);
  const all = largest(sums(rows, by, measure));
  const bars = all.slice(0, shown).map(([name, value]) => {
    const own = sums(
      rows.filter((row) => row[by] === name),
      'retention_class',
      measure,
    );
    return { name, value, parts: legend.flatMap((each) => ((own.get(each) ?? 0) > 0 ? [{ name: each, value: own.get(each)! }] : [])) };
  });
  const rest = all.slice(shown);
  return {
    bars,
    legend,
    most: Math.max(1, ...bars.map(({ value }) => value)),
    leftOut: { count: rest.length, value: rest.reduce((sum, [, value]) => sum + value, 0) },
  };
}

function sums(rows: readonly UsageRow[], by: 'producer' | 'retention_class', measure: Measure): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const row of rows) found.set(row[by], (found.get(row[by]) ?? 0) + row[measure]);
  return found;
}

function largest(found: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...found].sort(([left, less], [right, more]) => more - less || (left < right ? -1 : 1));
}

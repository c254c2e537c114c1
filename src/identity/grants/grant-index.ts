import type { JsonObject } from '../../kernel/format/json-value.ts';
import { type ClaimName, claimOf } from './claim-name.ts';
import { type Condition, scalarsOf } from './conditions.ts';

type Scalar = string | number | boolean;

/** Things with conditions, found by what they want, so that a thousand are not all looked at. */
export interface ConditionIndex<Thing> {
  /** Those that can hold where claims have these values: all that do, and some that do not, in the order given. */
  candidates(valuesOf: (claim: ClaimName) => readonly Scalar[]): readonly Thing[];
}

/**
 * Each thing is kept under the exact values of one of its conditions: that with which the fewest others begin. Things
 * that want globs alone are candidates always.
 */
export function indexByConditions<Thing extends { readonly conditions: readonly Condition[] }>(
  things: readonly Thing[],
): ConditionIndex<Thing> {
  const uses = new Map<string, number>();
  for (const { conditions } of things)
    for (const { claim, value } of conditions.flatMap(exactOf)) {
      const key = keyOf(claim, value);
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  const byClaim = new Map<string, { readonly claim: ClaimName; readonly byValue: Map<Scalar, number[]> }>();
  const always: number[] = [];
  for (const [number, { conditions }] of things.entries()) {
    const anchors = conditions.filter(({ anyOf }) => anyOf.every((wanted) => 'exact' in wanted));
    const weight = (condition: Condition): number =>
      exactOf(condition).reduce((sum, { claim, value }) => sum + (uses.get(keyOf(claim, value)) ?? 0), 0);
    const anchor = anchors.map((condition) => ({ condition, weight: weight(condition) })).sort((a, b) => a.weight - b.weight)[0]?.condition;
    if (anchor === undefined) {
      always.push(number);
      continue;
    }
    const { claim } = anchor;
    const place = byClaim.get(claim.text) ?? { claim, byValue: new Map<Scalar, number[]>() };
    byClaim.set(claim.text, place);
    for (const { value } of exactOf(anchor)) {
      const kept = place.byValue.get(value) ?? [];
      place.byValue.set(value, kept);
      kept.push(number);
    }
  }
  return {
    candidates(valuesOf) {
      const found = new Set<number>();
      for (const { claim, byValue } of byClaim.values())
        for (const value of valuesOf(claim)) for (const number of byValue.get(value) ?? []) found.add(number);
      const numbers = found.size === 0 ? always : [...always, ...found].sort((a, b) => a - b);
      return numbers.map((number) => things[number]!);
    },
  };
}

/** The values that a token has, for an index. */
export function valuesIn(claims: JsonObject): (claim: ClaimName) => readonly Scalar[] {
  return (claim) => scalarsOf(claimOf(claims, claim));
}

export function exactOf({ claim, anyOf }: Condition): readonly { readonly claim: ClaimName; readonly value: Scalar }[] {
  return anyOf.flatMap((wanted) => ('exact' in wanted ? [{ claim, value: wanted.exact }] : []));
}

function keyOf(claim: ClaimName, value: Scalar): string {
  return JSON.stringify([claim.text, value]);
}

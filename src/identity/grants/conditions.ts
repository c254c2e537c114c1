import { matchesGlob } from '../../kernel/access.ts';
import type { JsonObject, JsonValue } from '../../kernel/format/json-value.ts';
import { type ClaimName, claimOf } from './claim-name.ts';

/** One claim that has to be one of these. */
export interface Condition {
  readonly claim: ClaimName;
  readonly anyOf: readonly Wanted[];
}

/** Exact: the same JSON value, of the same kind. `true` is not `"true"`. A glob is about text only. */
export type Wanted = { readonly exact: string | number | boolean } | { readonly glob: string };

/** Whether the claims are as a grant wants them: every condition holds. */
export function allHold(conditions: readonly Condition[], claims: JsonObject): boolean {
  return conditions.every((condition) => holds(condition, claims));
}

export function holds({ claim, anyOf }: Condition, claims: JsonObject): boolean {
  const values = scalarsOf(claimOf(claims, claim));
  return values.some((value) => anyOf.some((wanted) => isWanted(wanted, value)));
}

/**
 * The values that a condition looks at: a claim that is a list (`groups`) holds where one of its members does. Objects,
 * null and lists within lists are no values.
 */
export function scalarsOf(value: JsonValue | undefined): readonly (string | number | boolean)[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => ['string', 'number', 'boolean'].includes(typeof each));
}

export function isWanted(wanted: Wanted, value: string | number | boolean): boolean {
  return 'exact' in wanted ? wanted.exact === value : typeof value === 'string' && matchesGlob(wanted.glob, value);
}

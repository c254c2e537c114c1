import { allows, type Grant, matches, type ProducerPattern, type Right, type Role, rightsOf } from '../src/kernel/access.ts';

/** In the order in which they are shown. */
export const rights: readonly Right[] = ['read', 'write', 'keep', 'observe', 'administer'];

/** What is about no producer: it is given by a grant for all of them. */
export function isOfRegistry(right: Right): boolean {
  return right === 'observe' || right === 'administer';
}

export interface RightShown {
  readonly right: Right;
  readonly verdict: 'yes' | 'in-part' | 'no';
  /** For which producers it holds. */
  readonly patterns: readonly ProducerPattern[];
  /** Through which roles. */
  readonly roles: readonly Role[];
  /** Roles that would give it, of those that a grant can have. */
  readonly givenBy: readonly Role[];
}

/** What grants give of each right; for one producer, where that is named. */
export function rightsShown(grants: readonly Grant[], producer?: string): readonly RightShown[] {
  return rights.map((right) => {
    const having = grants.filter(({ role }) => rightsOf[role].includes(right));
    const reaching =
      producer === undefined || isOfRegistry(right)
        ? having
        : having.filter(({ producers }) => producers.some((pattern) => matches(pattern, producer)));
    const patterns = reaching
      .flatMap(({ producers }) => producers)
      .filter((pattern) => producer === undefined || isOfRegistry(right) || matches(pattern, producer));
    const holds = isOfRegistry(right) || producer === undefined ? allows({ grants }, right) : patterns.length > 0;
    return {
      right,
      verdict: holds ? 'yes' : patterns.length > 0 && !isOfRegistry(right) ? 'in-part' : 'no',
      patterns,
      roles: [...new Set(reaching.map(({ role }) => role))],
      givenBy: (Object.keys(rightsOf) as Role[]).filter((role) => role !== 'observer' && rightsOf[role].includes(right)),
    };
  });
}

/** A pattern as a person writes it in an access file: a glob has its signs. */
export function patternText(pattern: ProducerPattern): string {
  return 'exact' in pattern ? pattern.exact : pattern.glob;
}

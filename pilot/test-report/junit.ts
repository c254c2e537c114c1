import { childrenOf, type Element, numberOf } from './xml.ts';

/** Test cases by how they ended. */
export interface Cases {
  total: number;
  passed: number;
  failed: number;
  errors: number;
  skipped: number;
  seconds: number;
}

export function noCases(): Cases {
  return { total: 0, passed: 0, failed: 0, errors: 0, skipped: 0, seconds: 0 };
}

/** Counts the cases themselves, in suites within suites: the sums in attributes differ from tool to tool. */
export function countCases(suite: Element, cases: Cases): void {
  for (const inner of childrenOf(suite, 'testsuite')) countCases(inner, cases);
  for (const each of childrenOf(suite, 'testcase')) {
    cases.total += 1;
    cases.seconds += numberOf(each, 'time') ?? 0;
    if (each.error !== undefined) cases.errors += 1;
    else if (each.failure !== undefined) cases.failed += 1;
    else if (each.skipped !== undefined) cases.skipped += 1;
    else cases.passed += 1;
  }
}

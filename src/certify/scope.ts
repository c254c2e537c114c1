import type { Finding, KeysScope } from './certificate.ts';

/** The probes that prove the scope of keys, and what to do where one of them does not hold. */
export const scopeRules: Readonly<Record<string, string>> = {
  'reach.within': 'give the keys the right to write, read and delete objects there',
  'reach.other-bucket-write': 'give the registry keys for its own bucket only, and look at the policy of the other bucket',
  'reach.other-bucket-read': 'give the registry keys for its own bucket only, and look at the policy of the other bucket',
  'reach.other-prefix': 'give the registry keys for its prefix only, or a bucket of its own',
  'reach.list-buckets': 'take the right to list buckets from the keys, or give the registry an account of its own',
};

/**
 * What was found out of the scope of the keys. An escape that was not refused is told before what was not asked. Where
 * the keys are for a whole bucket there is no other prefix to be refused.
 */
export function judgeScope(findings: ReadonlyMap<string, Finding>, hasPrefix: boolean): KeysScope {
  const told = (ids: readonly string[]): KeysScope['decided_by'] =>
    ids.map((id) => ({ id, text: findings.get(id)?.detail ?? 'was not asked', remedy: scopeRules[id] ?? '' }));
  const asked = Object.keys(scopeRules).filter((id) => id !== 'reach.other-prefix' || hasPrefix);
  const wrong = (id: string): boolean => ['fail', 'differs'].includes(findings.get(id)?.result ?? '');
  const escapes = asked.filter((id) => id !== 'reach.within' && wrong(id));
  if (escapes.length > 0) return { verdict: 'too_wide', decided_by: told(escapes) };
  const open = asked.filter((id) => findings.get(id)?.result !== 'pass');
  return open.length > 0 ? { verdict: 'unproven', decided_by: told(open) } : { verdict: 'proven', decided_by: [] };
}

import type { Finding, Grade, Judgement, Use } from './certificate.ts';

export interface UseRule {
  readonly use: Use;
  readonly title: string;
  /** What must hold; of a group, one. */
  readonly essential: readonly (string | readonly string[])[];
  /** What the backend lives without, and how. */
  readonly precautions: Readonly<Record<string, string>>;
}

const bytes = [
  'objects.round-trip',
  'objects.empty',
  'objects.head',
  'objects.missing',
  'objects.delete',
  'objects.read-after-write',
  'objects.read-after-overwrite',
  'ranges.first-last',
  'ranges.one-byte',
  'ranges.last-byte',
  'ranges.all',
];

const lists = [
  'listing.after-write',
  'listing.after-delete',
  'listing.size',
  'listing.prefix',
  'listing.nothing',
  'listing.pages',
  'listing.pages-with-changes',
  'listing.over-1000',
];

/** The one table from probes to uses. */
export const useRules: readonly UseRule[] = [
  {
    use: 'registry',
    title: 'registry storage',
    essential: [...bytes, ...lists],
    precautions: {
      'objects.delete-again': 'a delete that finds nothing counts as done',
      'objects.etag-is-md5': 'writes whose answer was lost are made again',
    },
  },
];

export function judge(findings: ReadonlyMap<string, Finding>): readonly Judgement[] {
  return useRules.map((rule) => ({ use: rule.use, title: rule.title, ...verdictOf(rule, findings) }));
}

export function gradeOf(judgements: readonly Judgement[]): Grade {
  const registry = judgements.find(({ use }) => use === 'registry')?.verdict;
  if (registry === 'unsafe') return 'F';
  if (registry === undefined || registry === 'unproven') return 'U';
  if (judgements.every(({ verdict }) => verdict === 'safe')) return 'A';
  return judgements.every(({ verdict }) => verdict === 'safe' || verdict === 'safe_with_precautions') ? 'B' : 'C';
}

function verdictOf({ essential, precautions }: UseRule, findings: ReadonlyMap<string, Finding>): Pick<Judgement, 'verdict' | 'decided_by'> {
  const failed: Judgement['decided_by'][number][] = [];
  const open: Judgement['decided_by'][number][] = [];
  for (const each of essential) {
    const group = typeof each === 'string' ? [each] : each;
    const found = group.map((id) => ({ id, finding: findings.get(id) }));
    if (found.some(({ finding }) => finding?.result === 'pass' || finding?.result === 'differs')) continue;
    for (const { id, finding } of found) {
      if (finding?.result === 'fail') failed.push({ id, text: finding.detail });
      else open.push({ id, text: finding?.detail ?? 'was not asked' });
    }
  }
  // Of a group that has no good answer, one that is open may still be good.
  const certain = essential.some((each) => [each].flat().every((id) => findings.get(id)?.result === 'fail'));
  if (certain) return { verdict: 'unsafe', decided_by: failed };
  if (open.length > 0) return { verdict: 'unproven', decided_by: open };
  const cared = Object.entries(precautions).flatMap(([id, text]) => {
    const result = findings.get(id)?.result;
    return result === 'fail' || result === 'differs' ? [{ id, text }] : [];
  });
  return cared.length > 0 ? { verdict: 'safe_with_precautions', decided_by: cared } : { verdict: 'safe', decided_by: [] };
}

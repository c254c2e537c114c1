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

const parts = [
  'multipart.in-order',
  'multipart.out-of-order',
  'multipart.part-again',
  'multipart.hidden-until-complete',
  'multipart.wrong-etag',
  'multipart.missing-part',
  'multipart.range-across',
];

const identity = ['reach.signature', 'reach.anonymous-read', 'reach.anonymous-write'];

const bodyDigests = ['checksums.content-sha256', 'checksums.content-md5'] as const;

/** The one table from probes to uses. */
export const useRules: readonly UseRule[] = [
  {
    use: 'registry',
    title: 'registry storage',
    essential: [
      ...bytes,
      ...lists,
      ...parts,
      ...identity,
      bodyDigests,
      'checksums.sdk-required-buffer',
      'checksums.sdk-required-stream',
      'keys.plain',
      'errors.expect-continue',
    ],
    precautions: {
      'objects.delete-again': 'a delete that finds nothing counts as done',
      'objects.etag-is-md5': 'writes whose answer was lost are made again',
      'multipart.honest-completion': 'after a completion whose answer is in doubt the object itself is looked at',
      'multipart.completion-again': 'after a completion whose answer is in doubt the object itself is looked at',
      'multipart.abort': 'parts that were given up may stay: let the lifecycle rules of the store remove them',
      'multipart.list-uploads': 'unfinished uploads are not found: let the lifecycle rules of the store remove them',
      'checksums.content-sha256': 'bodies are bound by Content-MD5: save the profile',
      'checksums.content-md5': 'bodies are bound by their signed SHA-256',
      'checksums.wrong-crc32': 'no checksum headers are relied on',
      'checksums.wrong-sha256': 'no checksum headers are relied on',
      'checksums.right-crc32': 'no checksum headers are sent',
      'checksums.trailer': 'no trailers are sent',
      'checksums.wrong-trailer': 'no trailers are sent',
      'checksums.sdk-default-buffer': 'no checksum headers are sent',
      'checksums.sdk-default-stream': 'no trailers are sent',
      'keys.percent': 'keys are of plain letters, digits and dots',
      'keys.plus': 'keys are of plain letters, digits and dots',
      'errors.no-such-key': 'any 404 counts as missing; a wrong bucket name looks like missing objects, so check it',
      'errors.no-such-bucket': 'a wrong bucket name looks like something else, so check it',
      'errors.short-body': 'a key whose write failed is never used again, and what lies there is collected',
      'errors.short-overwrite': 'keys are not written twice',
      'reach.other-bucket-read': 'the keys reach further than they should: give the registry keys of its own',
      'reach.other-bucket-write': 'the keys reach further than they should: give the registry keys of its own',
      'reach.owner-reads': "objects are written with the owner's ACL: save the profile",
      'reach.policy': 'the keys may change the policy of the bucket: give the registry keys that may not',
      'clock.hour-behind': 'requests can be repeated by who overhears them: use https',
      'clock.hour-ahead': 'requests can be repeated by who overhears them: use https',
      'clock.near': 'set one of the clocks: the difference is near to what the store refuses',
    },
  },
  {
    use: 'several-writers',
    title: 'several servers on one bucket',
    essential: [
      'objects.read-after-write',
      'objects.read-after-overwrite',
      'objects.concurrent-writes',
      'multipart.completions-at-once',
      'multipart.two-uploads',
      'listing.after-write',
      'listing.after-delete',
      'listing.pages-with-changes',
    ],
    precautions: {
      'multipart.completions-at-once': 'after a completion whose answer is in doubt the object itself is looked at',
      'errors.short-overwrite': 'keys are not written twice',
    },
  },
  {
    use: 'conditional-publishing',
    title: 'publishing a name once, by the store alone',
    essential: ['conditions.create', 'conditions.create-existing', 'conditions.create-race', 'objects.read-after-write', ...identity],
    precautions: {
      'conditions.create-race': 'losers get an unusual answer, so everything except success counts as lost',
      'conditions.complete-new': 'only objects that fit one request are published so',
      'conditions.complete-existing': 'only objects that fit one request are published so',
      'conditions.complete-race': 'only objects that fit one request are published so',
      'conditions.put-if-match': 'names are created, never moved',
      'conditions.put-if-match-other': 'names are created, never moved',
      'conditions.put-if-match-missing': 'names are created, never moved',
      'conditions.swap-race': 'names are created, never moved',
    },
  },
  {
    use: 'direct-uploads',
    title: 'uploads from browsers, by presigned addresses',
    essential: [
      'presigned.get',
      'presigned.put',
      'presigned.part',
      'presigned.length',
      'presigned.digest',
      'presigned.expired-put',
      'presigned.expired-get',
      'presigned.other-method',
      'presigned.other-key',
      'presigned.copy-source',
      'presigned.acl',
      'errors.short-body',
      'objects.head',
      'objects.missing',
      ...identity,
    ],
    precautions: {
      'presigned.content-type': 'Content-Type is signed always',
      'presigned.get-range': 'ranges are read through the registry',
      'presigned.create-only': 'every upload gets a key of its own',
      'presigned.metadata': 'metadata is not relied on',
      'presigned.sdk': 'addresses are signed without the SDK',
      'presigned.copy-source': 'addresses are signed with keys that reach the upload only',
      'presigned.acl': 'public access to the bucket is blocked',
      'objects.metadata': 'types and names come from the registry',
    },
  },
  {
    use: 'write-once',
    title: 'evidence that nobody can delete, by object lock',
    essential: ['lock.governance', 'lock.compliance', 'lock.shorten', 'lock.marker', 'objects.round-trip', ...identity],
    precautions: {
      'lock.governance': 'what is locked may stay longer than it should',
      'lock.compliance': 'what is locked may stay longer than it should',
      'lock.hold': 'retention times are used, not holds',
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

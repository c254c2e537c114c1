import type { EventRecord } from '../api/records.ts';

export const dueTypes = ['v1.retention.marked_eligible', 'v1.retention.eligibility_cleared', 'v1.package.garbage_collected'] as const;

/** Packages that a sweep has marked, and that were neither spared nor collected since; in the order of the marks. */
export function duePackages(events: readonly Pick<EventRecord, 'sequence' | 'event_type' | 'subject_id'>[]): readonly string[] {
  const due = new Set<string>();
  for (const { event_type, subject_id } of events.toSorted((left, right) => left.sequence - right.sequence))
    if (event_type === 'v1.retention.marked_eligible') due.add(subject_id);
    else due.delete(subject_id);
  return [...due];
}

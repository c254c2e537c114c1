import type { RetentionRecord } from '../api/records.ts';
import { formatDate } from '../format.ts';
import { strings } from '../strings.ts';

/** A step of what keeps a package, and what ends it. */
export interface Step {
  readonly key: string;
  /** RFC 3339; null for what has no time yet. */
  readonly at: string | null;
  readonly title: string;
  readonly detail: string;
  readonly actor: string | undefined;
  readonly tense: 'past' | 'present' | 'future';
}

const text = strings.story;

/** Why a package is kept and until when, in one sentence. */
export function verdictOf(record: RetentionRecord, now: number): { readonly title: string; readonly kept: boolean } {
  const holds = record.holds.filter(({ released_at }) => released_at === null).length;
  const unseen = record.holds_left_out > 0 ? text.moreHolds : '';
  if (record.status === 'garbage_collected') return { title: text.collected, kept: false };
  if (record.status === 'abandoned') return { title: holds > 0 ? text.abandonedHeld(holds) : text.abandoned, kept: holds > 0 };
  if (holds > 0) return { title: text.held(holds) + unseen, kept: true };
  if (record.status === 'created') return { title: text.open, kept: true };
  if (record.expires_at === null) return { title: text.forever, kept: true };
  if (record.eligible_at !== null || Date.parse(record.expires_at) <= now) return { title: text.expired, kept: false };
  return { title: text.until(record.retention_class, formatDate(Date.parse(record.expires_at))), kept: true };
}

/** The story from its begin to its end, with what is still to come. */
export function stepsOf(record: RetentionRecord, now: number): readonly Step[] {
  const past = record.history.map(({ sequence, created_at, event_type, actor, detail }): Step => {
    const reason = typeof detail.reason === 'string' ? detail.reason : undefined;
    const until = detail.new_expires_at ?? detail.expires_at;
    return {
      key: String(sequence),
      at: created_at,
      title: titles[event_type] ?? event_type,
      detail: [
        reason,
        typeof until === 'string' ? text.untilDate(formatDate(Date.parse(until))) : until === null ? text.untilNever : undefined,
      ]
        .filter((each) => each !== undefined)
        .join(' · '),
      actor,
      tense: 'past',
    };
  });
  if (record.finalized_at !== null)
    past.push({ key: 'sealed', at: record.finalized_at, title: text.sealed, detail: '', actor: undefined, tense: 'past' });
  past.sort((one, other) => Date.parse(one.at ?? '') - Date.parse(other.at ?? ''));
  const steps: Step[] = [
    ...past,
    {
      key: 'now',
      at: new Date(now).toISOString(),
      title: text.now,
      detail: verdictOf(record, now).title,
      actor: undefined,
      tense: 'present',
    },
  ];
  if (record.status === 'finalized' || record.status === 'created') {
    const isHeld = record.holds.some(({ released_at }) => released_at === null);
    if (record.expires_at === null) {
      if (record.status === 'finalized')
        steps.push({ key: 'end', at: null, title: text.never, detail: '', actor: undefined, tense: 'future' });
    } else
      steps.push({
        key: 'end',
        at: record.expires_at,
        title: Date.parse(record.expires_at) > now ? text.willExpire : text.hasExpired,
        detail: isHeld ? text.butHeld : record.status === 'created' ? text.onlySealed : text.thenCollected,
        actor: undefined,
        tense: 'future',
      });
  }
  return steps;
}

const titles: Readonly<Record<string, string>> = text.titles;

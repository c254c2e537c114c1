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

export interface StoryVerdict {
  readonly title: string;
  readonly kept: boolean;
  /** Of what is held: how it would be without that; undefined where it is not held. */
  readonly otherwise: string | undefined;
}

/** Why a package is kept and until when, in one sentence. */
export function verdictOf(record: RetentionRecord, now: number): StoryVerdict {
  const holds = record.status === 'garbage_collected' ? 0 : holdsOf(record).length;
  const is = standing(record, now);
  const day = record.expires_at === null ? '' : formatDate(Date.parse(record.expires_at));
  if (holds === 0) {
    const title = is === 'until' ? text.until(record.retention_class, day) : text[is];
    return { title, kept: is === 'until' || is === 'forever' || is === 'open', otherwise: undefined };
  }
  const unseen = record.holds_left_out > 0 ? text.moreHolds : '';
  return {
    title: (is === 'abandoned' ? text.abandonedHeld(holds) : text.held(holds)) + unseen,
    kept: true,
    otherwise: is === 'collected' ? undefined : is === 'until' ? text.withoutHold.until(record.retention_class, day) : text.withoutHold[is],
  };
}

function holdsOf({ holds }: RetentionRecord): RetentionRecord['holds'] {
  return holds.filter(({ released_at }) => released_at === null);
}

/** How it is without its holds. */
function standing(record: RetentionRecord, now: number): 'collected' | 'abandoned' | 'open' | 'forever' | 'expired' | 'until' {
  if (record.status === 'garbage_collected') return 'collected';
  if (record.status === 'abandoned') return 'abandoned';
  if (record.status === 'created') return 'open';
  if (record.expires_at === null) return 'forever';
  return record.eligible_at !== null || Date.parse(record.expires_at) <= now ? 'expired' : 'until';
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
      detail: '',
      actor: undefined,
      tense: 'present',
    },
  ];
  if (record.status === 'finalized' || record.status === 'created') {
    const isHeld = holdsOf(record).length > 0;
    if (record.expires_at === null) {
      if (record.status === 'finalized')
        steps.push({ key: 'end', at: null, title: text.never, detail: '', actor: undefined, tense: 'future' });
    } else
      steps.push({
        key: 'end',
        at: record.expires_at,
        title: endOf(Date.parse(record.expires_at) > now, isHeld),
        detail: record.status === 'created' ? text.onlySealed : isHeld ? '' : text.thenCollected,
        actor: undefined,
        tense: 'future',
      });
  }
  return steps;
}

/** What is held does not expire when its time ends. */
function endOf(isToCome: boolean, isHeld: boolean): string {
  return isHeld ? (isToCome ? text.timeEnds : text.timeEnded) : isToCome ? text.willExpire : text.hasExpired;
}

const titles: Readonly<Record<string, string>> = text.titles;

import { printable } from '../../src/kernel/format/printable.ts';
import type { RetentionEvent, RetentionRecord } from '../api/records.ts';
import { formatDate, shortAddress } from '../format.ts';
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
    const title = is === 'until' ? text.until(day) + decisionOf(record) : is === 'forever' ? text.forever + decisionOf(record) : text[is];
    return { title, kept: is === 'until' || is === 'forever' || is === 'open', otherwise: undefined };
  }
  const unseen = record.holds_left_out > 0 ? text.moreHolds : '';
  return {
    title: (is === 'abandoned' ? text.abandonedHeld(holds) : text.held(holds)) + unseen,
    kept: true,
    otherwise:
      is === 'collected'
        ? undefined
        : is === 'until'
          ? text.withoutHold.until(day, decisionOf(record))
          : is === 'forever'
            ? text.withoutHold.forever(decisionOf(record))
            : text.withoutHold[is],
  };
}

/** What decided the end that counts now: the last extension, else the class. Nothing where that event is not shown. */
function decisionOf({ history, retention_class, expires_at }: RetentionRecord): string {
  const extension = history.findLast(({ event_type }) => event_type === 'v1.retention.extended');
  if (extension !== undefined)
    return extension.detail.new_expires_at === expires_at ? text.byExtension(printable(extension.actor), reasonOf(extension) ?? '') : '';
  return history.some(({ event_type, detail }) => event_type === 'v1.retention.default_applied' && detail.expires_at === expires_at)
    ? text.byClass(retention_class)
    : '';
}

function reasonOf({ detail: { reason } }: RetentionEvent): string | undefined {
  return typeof reason === 'string' ? printable(reason) : undefined;
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

/** What an event decided: of which hold, why, and until when. */
function detailOf(event: RetentionEvent, holds: RetentionRecord['holds']): string {
  const { event_type, detail } = event;
  const until = 'new_expires_at' in detail ? detail.new_expires_at : detail.expires_at;
  return [
    event_type === 'v1.retention.hold_released' ? holdOf(detail.hold_id, holds) : undefined,
    reasonOf(event),
    typeof until === 'string' ? text.untilDate(formatDate(Date.parse(until))) : until === null ? text.untilNever : undefined,
  ]
    .filter((each) => each !== undefined)
    .join(' · ');
}

function holdOf(id: unknown, holds: RetentionRecord['holds']): string | undefined {
  const hold = holds.find((each) => each.id === id);
  return hold !== undefined
    ? text.ofHold(printable(hold.reason))
    : typeof id === 'string'
      ? text.ofHoldCalled(shortAddress(id))
      : undefined;
}

/** The story from its begin to its end, with what is still to come. `sealedBy` where it is known. */
export function stepsOf(record: RetentionRecord, now: number, sealedBy?: string): readonly Step[] {
  const past = record.history.map(
    (event): Step => ({
      key: String(event.sequence),
      at: event.created_at,
      title: titles[event.event_type] ?? event.event_type,
      detail: detailOf(event, record.holds),
      actor: event.actor,
      tense: 'past',
    }),
  );
  if (record.finalized_at !== null)
    past.push({ key: 'sealed', at: record.finalized_at, title: text.sealed, detail: '', actor: sealedBy, tense: 'past' });
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

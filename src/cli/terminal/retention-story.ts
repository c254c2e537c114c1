import type { JsonObject } from '../../kernel/format/json.ts';
import { parseTimestamp } from '../../kernel/time.ts';
import type { RetentionEvent, RetentionRecord } from '../../registry/REGISTRY.ts';
import { counted } from './size.ts';

/** Why a package is kept or will go, and when, in one sentence without its full stop. `now` is in milliseconds. */
export function tellRetention(record: RetentionRecord, now: number): string {
  const { status, expires_at, eligible_at } = record;
  if (status === 'garbage_collected') return `collected${at(lastOf(record, 'v1.package.garbage_collected'))}; its bytes are gone`;
  if (status === 'abandoned') {
    const event = lastOf(record, 'v1.package.abandoned');
    const cause = event?.detail.cause === 'unfinalized' ? ', since nobody sealed it' : '';
    return `abandoned${at(event)}${cause}; its bytes go with the next collection, or went with one`;
  }
  const holds = record.holds.filter(({ released_at }) => released_at === null);
  const [hold] = holds;
  if (hold !== undefined) {
    const others = holds.length === 1 ? '' : `, and by ${holds.length - 1} more`;
    return `held by ${hold.owner} since ${hold.applied_at}: ${onOneLine(hold.reason)}${others}; ${afterwards(record, now)}`;
  }
  if (status === 'created') return 'kept while it is open; abandoned by a collection when it stays unchanged and nobody seals it';
  if (expires_at === null) return `kept forever: ${reasonOf(record)}`;
  if (parseTimestamp(expires_at) > now)
    return `kept until ${expires_at} (${formatSpan(parseTimestamp(expires_at) - now)} from now): ${reasonOf(record)}`;
  const next = eligible_at === null ? 'goes with the first collection after the next sweep' : 'goes with the next collection';
  return `expired at ${expires_at}, ${next}: ${reasonOf(record)}`;
}

/** One event of its history as a person says it. */
export function tellRetentionEvent({ event_type, detail }: RetentionEvent): string {
  switch (event_type) {
    case 'v1.package.created':
      return 'created';
    case 'v1.retention.default_applied':
      return `${textOf(detail, 'retention_class')}: expires ${textOf(detail, 'expires_at', 'never')}`;
    case 'v1.retention.extended':
      return `extended to ${textOf(detail, 'new_expires_at', 'never')}: ${textOf(detail, 'reason')}`;
    case 'v1.retention.hold_applied':
      return `held (${textOf(detail, 'hold_id')}): ${textOf(detail, 'reason')}`;
    case 'v1.retention.hold_released':
      return `released (${textOf(detail, 'hold_id')})${detail.reason === null ? '' : `: ${textOf(detail, 'reason')}`}`;
    case 'v1.retention.marked_eligible':
      return 'found expired';
    case 'v1.retention.eligibility_cleared':
      return `no longer to be collected: ${textOf(detail, 'cause')}`;
    case 'v1.package.abandoned':
      return detail.cause === 'unfinalized' ? 'abandoned: nobody sealed it' : 'abandoned';
    case 'v1.package.garbage_collected':
      return 'collected';
    default:
      return event_type;
  }
}

/** The longest whole units of a span in milliseconds, such as `89 days` or `5 hours`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [size, name] = units.find(([size]) => seconds >= 2 * size) ?? ([1, 'second'] as const);
  const count = Math.floor(seconds / size);
  return counted(count, name);
}

const units = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const;

/** What decided the expiry that counts now. */
function reasonOf(record: RetentionRecord): string {
  const extension = lastOf(record, 'v1.retention.extended');
  if (extension !== undefined) return `extended by ${extension.actor} at ${extension.created_at}: ${textOf(extension.detail, 'reason')}`;
  const decision = lastOf(record, 'v1.retention.default_applied');
  const expiresAt = decision?.detail.expires_at;
  if (decision === undefined || typeof expiresAt !== 'string') return `class ${record.retention_class}, which never expires`;
  const span = parseTimestamp(expiresAt) - parseTimestamp(decision.created_at);
  return `class ${record.retention_class}, ${formatSpan(span)} from creation`;
}

function afterwards({ expires_at, status }: RetentionRecord, now: number): string {
  if (status === 'created') return 'not sealed yet';
  if (expires_at === null) return 'never expires anyway';
  return parseTimestamp(expires_at) > now ? `expires at ${expires_at} otherwise` : `expired at ${expires_at}, and goes once it is released`;
}

function lastOf(record: RetentionRecord, type: string): RetentionEvent | undefined {
  return record.history.findLast(({ event_type }) => event_type === type);
}

function at(event: RetentionEvent | undefined): string {
  return event === undefined ? '' : ` at ${event.created_at}`;
}

function textOf(detail: JsonObject, key: string, absent = ''): string {
  const value = detail[key];
  return typeof value === 'string' ? onOneLine(value) : absent;
}

/** Reasons may have line ends. */
export function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

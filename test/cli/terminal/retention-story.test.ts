import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSpan, tellRetention, tellRetentionEvent } from '../../../src/cli/terminal/retention-story.ts';
import type { JsonObject } from '../../../src/kernel/format/json.ts';
import type { Hold, RetentionEvent, RetentionRecord } from '../../../src/registry/REGISTRY.ts';

const created = '2026-01-01T00:00:00.000Z';
const expires = '2026-04-01T00:00:00.000Z';
const now = Date.parse('2026-01-02T00:00:00.000Z');
const late = Date.parse('2026-05-01T00:00:00.000Z');

const event = (event_type: string, detail: JsonObject, created_at = created): RetentionEvent => ({
  sequence: 1,
  created_at,
  event_type,
  actor: 'ann',
  detail,
});
const decision = (expires_at: string | null) => event('v1.retention.default_applied', { retention_class: 'raw-evidence', expires_at });
const record: RetentionRecord = {
  package_id: '01900000-0000-7000-8000-000000000000',
  status: 'finalized',
  retention_class: 'raw-evidence',
  expires_at: expires,
  eligible_at: null,
  finalized_at: created,
  holds: [],
  history: [decision(expires)],
  holds_left_out: 0,
  history_left_out: 0,
};
const hold: Hold = {
  id: '01900000-0000-7000-8000-000000000001',
  reason: 'incident\n12',
  owner: 'bob',
  applied_at: created,
  released_at: null,
  released_by: null,
  release_reason: null,
};

test('one sentence says why a package is kept or will go, and when', () => {
  const told = (change: Partial<RetentionRecord>, at = now) => tellRetention({ ...record, ...change }, at);
  assert.equal(told({}), `kept until ${expires} (89 days from now): class raw-evidence, 90 days from creation`);
  assert.equal(told({ expires_at: null, history: [decision(null)] }), 'kept forever: class raw-evidence, which never expires');
  const extended = event('v1.retention.extended', { new_expires_at: null, reason: 'reference' });
  assert.equal(
    told({ expires_at: null, history: [decision(expires), extended] }),
    `kept forever: extended by ann at ${created}: reference`,
  );
  assert.equal(
    told({}, late),
    `expired at ${expires}, goes with the first collection after the next sweep: class raw-evidence, 90 days from creation`,
  );
  assert.match(told({ eligible_at: expires }, late), /, goes with the next collection: /);
  assert.equal(told({ holds: [hold] }), `held by bob since ${created}: incident 12; expires at ${expires} otherwise`);
  assert.equal(
    told({ holds: [{ ...hold, released_at: created }, hold, hold], eligible_at: null }, late),
    `held by bob since ${created}: incident 12, and by 1 more; expired at ${expires}, and goes once it is released`,
  );
  assert.match(told({ holds: [{ ...hold, released_at: created }] }), /^kept until /);
  assert.match(told({ holds: [hold], expires_at: null }), /; never expires anyway$/);
  assert.match(told({ status: 'created', holds: [hold] }), /; not sealed yet$/);
  assert.match(told({ status: 'created' }), /^kept while it is open/);
  const collected = event('v1.package.garbage_collected', { location_count: 1 }, expires);
  assert.equal(told({ status: 'garbage_collected', history: [collected] }, late), `collected at ${expires}; its bytes are gone`);
  const abandoned = (cause: string) => told({ status: 'abandoned', history: [event('v1.package.abandoned', { cause, reason: null })] });
  assert.match(abandoned('unfinalized'), /^abandoned at 2026-01-01T00:00:00.000Z, since nobody sealed it; /);
  assert.match(abandoned('requested'), /^abandoned at 2026-01-01T00:00:00.000Z; /);
});

test('each event of the history in a few words; one that is not known by its type', () => {
  const told = (type: string, detail: JsonObject = {}) => tellRetentionEvent(event(type, detail));
  assert.equal(told('v1.retention.default_applied', { retention_class: 'x', expires_at: null }), 'x: expires never');
  assert.equal(told('v1.retention.extended', { new_expires_at: expires, reason: 'r' }), `extended to ${expires}: r`);
  assert.equal(told('v1.retention.hold_applied', { hold_id: 'h', reason: 'r' }), 'held (h): r');
  assert.equal(told('v1.retention.hold_released', { hold_id: 'h', reason: null }), 'released (h)');
  assert.equal(told('v1.retention.eligibility_cleared', { cause: 'held' }), 'no longer to be collected: held');
  assert.equal(told('v2.something.new'), 'v2.something.new');
});

test('a span in its longest whole units', () => {
  assert.deepEqual([0, 1000, 119_999, 7_200_000, 172_800_000].map(formatSpan), [
    '0 seconds',
    '1 second',
    '119 seconds',
    '2 hours',
    '2 days',
  ]);
});

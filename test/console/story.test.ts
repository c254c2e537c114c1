import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDate } from '../../console/format.ts';
import { stepsOf, verdictOf } from '../../console/package/story.ts';
import type { Hold, RetentionEvent, RetentionRecord } from '../../src/registry/REGISTRY.ts';

const now = Date.parse('2026-11-30T00:00:00Z');
const record: RetentionRecord = {
  package_id: '1',
  status: 'finalized',
  retention_class: 'raw-evidence',
  expires_at: '2027-01-01T00:00:00.000Z',
  eligible_at: null,
  finalized_at: '2026-11-01T00:00:01.000Z',
  holds: [],
  history: [
    { sequence: 1, created_at: '2026-11-01T00:00:00.000Z', event_type: 'v1.package.created', actor: 'ci', detail: {} },
    {
      sequence: 3,
      created_at: '2026-11-02T00:00:00.000Z',
      event_type: 'v1.retention.extended',
      actor: 'keeper',
      detail: { reason: 'an audit', new_expires_at: '2027-01-01T00:00:00.000Z' },
    },
  ],
  holds_left_out: 0,
  history_left_out: 0,
};
const hold: Hold = {
  id: '2',
  reason: 'an audit',
  owner: 'keeper',
  applied_at: '2026-11-03T00:00:00.000Z',
  released_at: null,
  released_by: null,
  release_reason: null,
};

const decided: RetentionEvent = {
  sequence: 2,
  created_at: '2026-11-01T00:00:00.000Z',
  event_type: 'v1.retention.default_applied',
  actor: 'ci',
  detail: { retention_class: 'raw-evidence', expires_at: '2027-01-01T00:00:00.000Z' },
};

test('one sentence says why it is kept, or that it is not', () => {
  for (const [changes, kept, words] of [
    [{}, true, /extended by keeper \(an audit\)$/],
    [{ history: [decided] }, true, /until .*, as the class raw-evidence has it$/],
    // What decided it is in the log alone.
    [{ history: [] }, true, /^Kept until [^:]+\d$/],
    [{ history: [{ ...decided, detail: { expires_at: null } }] }, true, /^Kept until [^:]+\d$/],
    [{ expires_at: null, history: [{ ...decided, detail: { expires_at: null } }] }, true, /without an end, as the class raw-evidence/],
    [{ expires_at: null }, true, /without an end/],
    [{ holds: [hold] }, true, /until the hold is released/],
    [{ holds: [hold, hold] }, true, /Held 2 times/],
    [{ holds: [{ ...hold, released_at: '2026-11-04T00:00:00.000Z' }] }, true, /extended by keeper/],
    [{ holds: [hold], expires_at: '2026-01-01T00:00:00.000Z', eligible_at: null }, true, /Held/],
    [{ expires_at: '2026-01-01T00:00:00.000Z' }, false, /time has passed/],
    [{ status: 'created', expires_at: null }, true, /Not sealed/],
    [{ status: 'abandoned' }, false, /Abandoned/],
    [{ status: 'abandoned', holds: [hold] }, true, /Abandoned, and held/],
    [{ status: 'garbage_collected', holds: [hold] }, false, /Collected/],
  ] as const) {
    const verdict = verdictOf({ ...record, ...changes }, now);
    const isHeld = 'holds' in changes && changes.holds.some(({ released_at }) => released_at === null);
    assert.equal(
      verdict.otherwise !== undefined,
      isHeld && !('status' in changes && changes.status === 'garbage_collected'),
      verdict.title,
    );
    assert.equal(verdict.kept, kept, JSON.stringify(changes));
    assert.match(verdict.title, words);
  }
});

test('the story goes from its begin over today to what will come', () => {
  const steps = stepsOf(record, now);
  assert.deepEqual(
    steps.map(({ title, tense }) => `${tense} ${title}`),
    ['past Created', 'past Sealed', 'past Extended', 'present Today', 'future Expires'],
  );
  const end = formatDate(Date.parse('2027-01-01T00:00:00.000Z'));
  assert.equal(steps[2]!.detail, `an audit · until ${end}`);
  // As the end of the same story has it.
  assert.equal(formatDate(Date.parse(steps.at(-1)!.at!)), end);
  assert.equal(verdictOf(record, now).title, `Kept until ${end}: extended by keeper (an audit)`);
  const held = stepsOf({ ...record, holds: [hold] }, now);
  assert.deepEqual([held.at(-1)!.title, held.at(-1)!.detail], ['Its time ends', '']);
  assert.match(stepsOf({ ...record, status: 'created', finalized_at: null }, now).at(-1)!.detail, /once it is sealed/);
  assert.equal(stepsOf({ ...record, status: 'garbage_collected' }, now).at(-1)!.title, 'Today');
});

test('what is held says how it would be without that, and the story does not say it again', () => {
  const held = { ...record, holds: [hold] };
  for (const [changes, words] of [
    [{}, /Otherwise .* until .*: extended by keeper \(an audit\)\.$/],
    [{ history: [decided] }, /Otherwise .* until .*, as the class raw-evidence has it\.$/],
    [{ expires_at: null }, /without an end/],
    [{ expires_at: '2026-01-01T00:00:00.000Z' }, /its time has passed/],
    [{ status: 'created', finalized_at: null }, /not sealed yet/],
    [{ status: 'abandoned' }, /next collection/],
  ] as const) {
    assert.match(verdictOf({ ...held, ...changes }, now).otherwise ?? '', words);
    assert.doesNotMatch(JSON.stringify(stepsOf({ ...held, ...changes }, now).slice(-2)), /held/i);
  }
});

test('a step says of which hold it is, that an extension has no end, and who sealed it', () => {
  const event = (event_type: string, detail: RetentionEvent['detail']): RetentionEvent => ({ ...decided, event_type, detail });
  const steps = stepsOf(
    {
      ...record,
      holds: [hold],
      history: [
        event('v1.retention.extended', { reason: 'a court', new_expires_at: null }),
        event('v1.retention.hold_released', { hold_id: hold.id, reason: 'it is over' }),
        event('v1.retention.hold_released', { hold_id: 'another', reason: null }),
      ],
    },
    now,
    'sealer',
  );
  assert.deepEqual(
    steps.slice(0, 4).map(({ detail }) => detail),
    ['a court · without an end', 'of “an audit” · it is over', 'of the hold another', ''],
  );
  assert.equal(steps[3]!.actor, 'sealer');
});

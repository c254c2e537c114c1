import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Database } from '../../src/database/DATABASE.ts';
import { type Principal, scopeOf } from '../../src/kernel/access.ts';
import { decodeCbor } from '../../src/kernel/format/cbor.ts';
import { type NewEvent, subjectKinds } from '../../src/kernel/log/event.ts';
import { eventTypes } from '../../src/kernel/views/fold.ts';
import { createAccess } from '../../src/registry/access.ts';
import { createEvents } from '../../src/registry/events.ts';
import type { EventPage, EventQuery } from '../../src/registry/REGISTRY.ts';
import { type For, madeUpLog } from './made-up-log.ts';
import type { OperationsWithEvents } from './operations-with-events.ts';

const producers = ['a', 'ab', 'b', 'other'] as const;
const roles = ['reader', 'writer', 'keeper', 'admin', 'observer'] as const;
const pattern = fc.oneof(
  fc.constantFrom(...producers).map((exact) => ({ exact })),
  fc.constantFrom('*', 'a*', '?', 'nobody').map((glob) => ({ glob })),
);
const grants = fc.array(fc.record({ role: fc.constantFrom(...roles), producers: fc.array(pattern, { maxLength: 3 }) }), { maxLength: 3 });
const acts = fc.array(fc.tuple(fc.nat(10_000), fc.constantFrom(...producers)), { minLength: 1, maxLength: 40 });
const cuts = fc.record({
  eventStretch: fc.integer({ min: 1, max: 20 }),
  eventsLookedAt: fc.integer({ min: 1, max: 60 }),
  limit: fc.integer({ min: 1, max: 20 }),
});
const type = fc.constantFrom(...eventTypes);
const kind = fc.constantFrom(...subjectKinds);
const filters: fc.Arbitrary<{ readonly event_type?: string; readonly subject_kind?: string; readonly ofSubject?: number }> = fc.oneof(
  fc.constant({}),
  fc.record({ subject_kind: fc.constantFrom('package', 'location', 'object') }),
  fc.record({ event_type: type }),
  fc.record({ ofSubject: fc.nat(50) }),
  fc.record({ event_type: type, subject_kind: kind, ofSubject: fc.nat(50) }, { requiredKeys: [] }),
);

interface Made {
  readonly sequence: number;
  readonly event: NewEvent;
  readonly whom: For;
}

/** The model: what a principal may see, in ten lines that do not know how it is found. */
function sees({ grants: given }: Principal, whom: For): boolean {
  const ofAll = given.filter(({ producers: each }) => each.some((pattern) => 'glob' in pattern && pattern.glob === '*'));
  const observes = ofAll.some(({ role }) => role === 'admin' || role === 'observer');
  if (whom === 'observers') return observes;
  const patterns = given.flatMap(({ producers: each }) => each);
  if (whom === 'readers') return patterns.length > 0;
  return patterns.some((each) =>
    'exact' in each ? each.exact === whom.producer : new RegExp(`^${each.glob.replace('*', '.*').replace('?', '.')}$`).test(whom.producer),
  );
}

/** Random grants, acts, filters and cuts: what a reader is given, page after page, is what the model says. */
export async function eventsProperty(database: Database<OperationsWithEvents>, runs: number): Promise<void> {
  const log = madeUpLog();
  const made: Made[] = [];
  await fc.assert(
    fc.asyncProperty(acts, grants, filters, cuts, async (asked, given, filter, { limit, ...bounds }) => {
      const events = asked.flatMap(([pick, producer]) => log.next(pick, producer));
      await database.write('test.append', { events: events.map(([event]) => event) });
      for (const [event, whom] of events) made.push({ sequence: made.length + 1, event, whom });
      const principal: Principal = { actor: 'who', share: 'who', grants: given };
      const access = createAccess(principal, () => Promise.resolve(undefined));
      const { event_type, subject_kind, ofSubject } = filter;
      const query: EventQuery = {
        ...(event_type === undefined ? {} : { event_type }),
        ...(subject_kind === undefined ? {} : { subject_kind }),
        ...(ofSubject === undefined ? {} : { subject_id: made[ofSubject % made.length]!.event.subject_id }),
      };
      const begin = Math.max(0, made.length - 120);
      const expected = made.filter(
        ({ sequence, event, whom }) =>
          sequence > begin &&
          sees(principal, whom) &&
          (query.event_type ?? event.event_type) === event.event_type &&
          (query.subject_kind ?? event.subject_kind) === event.subject_kind &&
          (query.subject_id ?? event.subject_id) === event.subject_id,
      );
      const reading = createEvents({ database }, access, bounds);
      const found: EventPage['items'][number][] = [];
      for (let since = begin; ; ) {
        const page = await reading.page({ ...query, since, limit });
        const encoded = await reading.encodedPage({ ...query, since, limit });
        assert.deepEqual(decodeCbor(encoded.bytes), { ...page, items: page.items.map((item) => ({ ...item })) });
        assert.deepEqual([encoded.item_count, encoded.next_since], [page.items.length, page.next_since]);
        assert.ok(page.items.length <= limit && page.next_since >= (page.items.at(-1)?.sequence ?? since));
        found.push(...page.items);
        assert.equal(page.last_sequence, made.length);
        if (page.next_since >= page.last_sequence) break;
        assert.ok(page.next_since > since, 'a reader gets further');
        since = page.next_since;
      }
      assert.deepEqual(
        found.map(({ sequence, subject_id }) => ({ sequence, subject_id })),
        expected.map(({ sequence, event }) => ({ sequence, subject_id: event.subject_id })),
      );
      const whole = scopeOf(principal, 'read') === 'everything' && access.observes;
      for (const { chain_digest } of found) assert.equal(chain_digest === null, !whole);
    }),
    { numRuns: runs },
  );
}

import type { Finding } from './certificate.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { complete, get, good, holds, put, refused, remove, told, uploadParts } from './steps.ts';

const family = 'conditions';
const create = 'a name is given away once, to the first who asks';
const swap = 'a pointer is moved only by who has seen where it points';

export const conditions: readonly Probe[] = [
  {
    id: 'conditions.create',
    family,
    title: 'If-None-Match: * writes where nothing is',
    why: create,
    async run(context) {
      const body = context.bytes();
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body, headers: onlyNew });
      if (reply.status >= 300) return fail(told(reply));
      await holds(context, context.key(), body);
      return pass(told(reply));
    },
  },
  {
    id: 'conditions.create-existing',
    family,
    title: 'If-None-Match: * leaves alone what is there',
    why: create,
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: context.bytes(), headers: onlyNew });
      const now = await get(context, context.key());
      if (!now.body.equals(body)) return fail(`it ${told(reply)}, and the object is another one now`);
      return reply.status === 412 ? pass('412') : fail(told(reply));
    },
  },
  {
    id: 'conditions.create-race',
    family,
    title: 'of 12 who create at once one wins, and its bytes stay',
    why: create,
    async run(context) {
      return await race(context, async (key) => {
        await Promise.resolve();
        return { key, headers: onlyNew };
      });
    },
  },
  {
    id: 'conditions.complete-new',
    family,
    title: 'a completion with If-None-Match: * writes where nothing is',
    why: create,
    async run(context) {
      const { uploadId, parts } = await uploadParts(context, context.key(), [context.bytes()]);
      const reply = await complete(context, context.key(), uploadId, parts, onlyNew);
      return reply.status === 200 && reply.code === undefined ? pass('200') : fail(told(reply));
    },
  },
  {
    id: 'conditions.complete-existing',
    family,
    title: 'a completion with If-None-Match: * leaves alone what is there',
    why: create,
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const { uploadId, parts } = await uploadParts(context, context.key(), [context.bytes()]);
      const reply = await complete(context, context.key(), uploadId, parts, onlyNew);
      const now = await get(context, context.key());
      if (!now.body.equals(body)) return fail(`it ${told(reply)}, and the object is another one now`);
      return refused(reply) ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'conditions.complete-race',
    family,
    title: 'of 4 who complete with If-None-Match: * at once one wins',
    why: create,
    async run(context) {
      const uploads = await Promise.all(Array.from({ length: 4 }, () => uploadParts(context, context.key(), [context.bytes()])));
      const replies = await Promise.all(uploads.map(({ uploadId, parts }) => complete(context, context.key(), uploadId, parts, onlyNew)));
      const won = replies.filter(({ status, code }) => status === 200 && code === undefined).length;
      return won === 1 ? pass('one') : fail(`${won} won`);
    },
  },
  {
    id: 'conditions.put-if-match',
    family,
    title: 'If-Match with the right ETag overwrites',
    why: swap,
    async run(context) {
      const { headers } = await put(context, context.key(), context.bytes());
      const body = context.bytes();
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body, headers: { 'if-match': String(headers.etag) } });
      if (reply.status >= 300) return fail(told(reply));
      await holds(context, context.key(), body);
      return pass(told(reply));
    },
  },
  {
    id: 'conditions.put-if-match-other',
    family,
    title: 'If-Match with another ETag leaves alone what is there',
    why: swap,
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', headers: { 'if-match': otherEtag } });
      await holds(context, context.key(), body);
      return reply.status === 412 ? pass('412') : fail(told(reply));
    },
  },
  {
    id: 'conditions.put-if-match-missing',
    family,
    title: 'If-Match writes nothing where nothing is',
    why: swap,
    async run(context) {
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', headers: { 'if-match': otherEtag } });
      return refused(reply) ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'conditions.swap-race',
    family,
    title: 'of 12 who overwrite with the same If-Match one wins',
    why: swap,
    async run(context) {
      return await race(context, async (key) => {
        const { headers } = await put(context, key, context.bytes());
        return { key, headers: { 'if-match': String(headers.etag) } };
      });
    },
  },
  {
    id: 'conditions.delete-if-match',
    family,
    title: 'a delete with another ETag in If-Match leaves alone what is there',
    why: 'what is deleted is what was looked at',
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const reply = await remove(context, context.key(), { headers: { 'if-match': otherEtag } });
      if (reply.status < 300) return differs('the condition is ignored');
      await holds(context, context.key(), body);
      return reply.status === 412 ? pass('412') : differs(told(reply));
    },
  },
  {
    id: 'conditions.get-if-match',
    family,
    title: 'a read with another ETag in If-Match is refused',
    why: 'a read that resumes must not mix two objects',
    async run(context) {
      await put(context, context.key(), context.bytes());
      const reply = await context.wire.send({ key: context.key(), headers: { 'if-match': otherEtag } });
      return reply.status === 412 ? pass('412') : fail(told(reply));
    },
  },
  {
    id: 'conditions.get-if-none-match',
    family,
    title: 'a read with its own ETag in If-None-Match is answered 304',
    why: 'what is known already is not sent again',
    async run(context) {
      const { headers } = await put(context, context.key(), context.bytes());
      const reply = await context.wire.send({ key: context.key(), headers: { 'if-none-match': String(headers.etag) } });
      return reply.status === 304 ? pass('304') : differs(told(reply));
    },
  },
];

/** Twelve writers under one condition, five times. */
async function race(
  context: ProbeContext,
  prepare: (key: string) => Promise<{ readonly key: string; readonly headers: Readonly<Record<string, string>> }>,
): Promise<Finding> {
  const odd = new Set<string>();
  for (let round = 1; round <= rounds; round++) {
    const { key, headers } = await prepare(context.key(String(round)));
    const bodies = Array.from({ length: racers }, () => context.bytes(2000));
    const replies = await Promise.all(bodies.map((body) => context.wire.send({ method: 'PUT', key, body, headers })));
    const winners = replies.flatMap((reply, index) => (reply.status < 300 ? [index] : []));
    demand(
      winners.length === 1,
      `in round ${round} ${winners.length} of ${racers} won: ${told(replies.find(({ status }) => status >= 300) ?? replies[0]!)}`,
    );
    const { body } = good(await context.wire.send({ key }), 'a read');
    demand(body.equals(bodies[winners[0]!]!), `in round ${round} the object is not the winner's`);
    for (const reply of replies) if (reply.status >= 300 && reply.status !== 412 && reply.status !== 409) odd.add(told(reply));
  }
  return odd.size === 0 ? pass(`${rounds} rounds`) : differs(`losers were ${[...odd].join(', ')}`);
}

const onlyNew = { 'if-none-match': '*' } as const;
const otherEtag = `"${'0'.repeat(32)}"`;
const rounds = 5;
const racers = 12;

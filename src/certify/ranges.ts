import type { Finding } from './certificate.ts';
import { fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { put, told } from './steps.ts';

const family = 'ranges';
const why = 'reads resume and seek by ranges, and are checked block by block';

export const ranges: readonly Probe[] = [
  { id: 'ranges.first-last', family, title: 'bytes=10-19', why, run: (context) => read(context, 'bytes=10-19', 10, 20) },
  { id: 'ranges.one-byte', family, title: 'bytes=0-0', why, run: (context) => read(context, 'bytes=0-0', 0, 1) },
  { id: 'ranges.last-byte', family, title: 'bytes=999-999 of 1,000', why, run: (context) => read(context, 'bytes=999-999', 999, 1000) },
  { id: 'ranges.open-end', family, title: 'bytes=990-', why, run: (context) => read(context, 'bytes=990-', 990, 1000) },
  { id: 'ranges.suffix', family, title: 'bytes=-10', why, run: (context) => read(context, 'bytes=-10', 990, 1000) },
  {
    id: 'ranges.over-the-end',
    family,
    title: 'bytes=990-5000 ends at the end',
    why,
    run: (context) => read(context, 'bytes=990-5000', 990, 1000),
  },
  { id: 'ranges.all', family, title: 'bytes=0-999 of 1,000', why, run: (context) => read(context, 'bytes=0-999', 0, 1000) },
  {
    id: 'ranges.past-the-end',
    family,
    title: 'bytes=1000- of 1,000 is refused',
    why: 'bytes that are not there must not look like none',
    async run(context) {
      const { reply } = await ask(context, 'bytes=1000-', context.bytes(1000));
      return reply.status === 416 ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'ranges.of-nothing',
    family,
    title: 'a range of an empty object is refused',
    why: 'bytes that are not there must not look like some',
    async run(context) {
      const { reply } = await ask(context, 'bytes=0-9', Buffer.alloc(0));
      if (reply.status === 416) return pass(told(reply));
      return reply.status < 300 && reply.body.length === 0
        ? { result: 'differs', detail: `${told(reply)} with nothing` }
        : fail(`${told(reply)} with ${reply.body.length} bytes`);
    },
  },
  {
    id: 'ranges.if-match',
    family,
    title: 'a range of an object that is another one by now is refused',
    why: 'a read that resumes must not mix two objects',
    async run(context) {
      const body = context.bytes(1000);
      const { headers } = await put(context, context.key(), body);
      const right = await context.wire.send({ key: context.key(), headers: { range: 'bytes=5-9', 'if-match': String(headers.etag) } });
      const wrong = await context.wire.send({ key: context.key(), headers: { range: 'bytes=5-9', 'if-match': `"${'0'.repeat(32)}"` } });
      if (right.status !== 206) return fail(`with the right ETag: ${told(right)}`);
      return wrong.status === 412 ? pass('412') : fail(`with another ETag: ${told(wrong)}`);
    },
  },
];

async function ask(context: ProbeContext, range: string, body: Buffer) {
  await put(context, context.key(), body);
  return { reply: await context.wire.send({ key: context.key(), headers: { range } }), body };
}

async function read(context: ProbeContext, range: string, from: number, to: number): Promise<Finding> {
  // No byte is like its neighbour: of random ones one in 256 is, and a range that is one off looks right.
  const bytes = Buffer.from(Uint8Array.from({ length: 1000 }, (_, index) => index % 251));
  const { reply, body } = await ask(context, range, bytes);
  if (reply.status !== 206) return fail(`${told(reply)} with ${reply.body.length} bytes`);
  const expected = `bytes ${from}-${to - 1}/1000`;
  if (reply.headers['content-range'] !== expected) return fail(`Content-Range: ${reply.headers['content-range'] ?? 'none'}`);
  if (reply.body.length !== to - from) return fail(`${reply.body.length} bytes instead of ${to - from}`);
  return reply.body.equals(body.subarray(from, to)) ? pass(expected) : fail('other bytes');
}

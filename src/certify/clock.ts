import type { Finding } from './certificate.ts';
import { differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { head, put, told } from './steps.ts';

const family = 'clock';
const replay = 'a request that was overheard must not be of use later';

export const clock: readonly Probe[] = [
  {
    id: 'clock.near',
    family,
    title: "the store's clock and ours agree",
    why: 'requests are refused when they differ by much',
    async run(context) {
      await put(context, context.key(), 'x');
      const seconds = Math.round(context.wire.clockAheadMilliseconds / 1000);
      if (Math.abs(seconds) <= 60) return pass(seconds === 0 ? 'to the second' : `within ${Math.abs(seconds)} s`);
      return Math.abs(seconds) < 900 ? differs(`they differ by ${seconds} s`) : fail(`they differ by ${seconds} s`);
    },
  },
  {
    id: 'clock.hour-behind',
    family,
    title: 'a request of an hour ago is refused',
    why: replay,
    run: (context) => refusesOff(context, -hour),
  },
  {
    id: 'clock.hour-ahead',
    family,
    title: 'a request of an hour from now is refused',
    why: replay,
    run: (context) => refusesOff(context, hour),
  },
  {
    id: 'clock.last-modified',
    family,
    title: 'Last-Modified is the time of the write',
    why: 'an upload whose answer was lost is recognised by it',
    async run(context) {
      await put(context, context.key(), 'x');
      const { headers } = await head(context, context.key());
      const off = Math.abs(Date.parse(headers['last-modified'] ?? '') - context.storeNow());
      return off <= 10_000 ? pass('within 10 s') : fail(`Last-Modified: ${headers['last-modified'] ?? 'none'}`);
    },
  },
];

async function refusesOff(context: ProbeContext, milliseconds: number): Promise<Finding> {
  const date = new Date(context.storeNow() + milliseconds);
  const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', date });
  return reply.status < 300 ? fail('accepted') : pass(told(reply));
}

const hour = 3_600_000;

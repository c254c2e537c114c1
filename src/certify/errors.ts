import { setTimeout as sleep } from 'node:timers/promises';
import { demand, differs, fail, type Probe, pass } from './probe.ts';
import { createUpload, holds, isThere, told } from './steps.ts';

const family = 'errors';
const tell = 'what is missing must be told from what is broken';

export const errors: readonly Probe[] = [
  {
    id: 'errors.no-such-key',
    family,
    title: 'a missing object is 404 NoSuchKey',
    why: tell,
    async run(context) {
      const reply = await context.wire.send({ key: context.key() });
      return reply.status === 404 && reply.code === 'NoSuchKey' ? pass('404 NoSuchKey') : fail(told(reply));
    },
  },
  {
    id: 'errors.no-such-bucket',
    family,
    title: 'a missing bucket is 404 NoSuchBucket',
    why: `${tell}: a wrong bucket must not look like an empty one`,
    async run(context) {
      const bucket = `artifactstore-absent-${context.bytes(8).toString('hex')}`;
      const reply = await context.wire.send({ bucket, query: { 'list-type': '2' } });
      if (reply.status < 300) return fail(told(reply));
      return reply.status === 404 && reply.code === 'NoSuchBucket' ? pass('404 NoSuchBucket') : differs(told(reply));
    },
  },
  {
    id: 'errors.no-such-upload',
    family,
    title: 'a missing upload is 404 NoSuchUpload',
    why: tell,
    async run(context) {
      const uploadId = await createUpload(context, context.key());
      await context.wire.send({ method: 'DELETE', key: context.key(), query: { uploadId } });
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), query: { partNumber: '1', uploadId }, body: 'x' });
      if (reply.status < 300) return fail(told(reply));
      return reply.status === 404 && reply.code === 'NoSuchUpload' ? pass('404 NoSuchUpload') : differs(told(reply));
    },
  },
  {
    id: 'errors.malformed',
    family,
    title: 'a completion that is no XML is refused',
    why: 'a damaged request must not be carried out',
    async run(context) {
      const uploadId = await createUpload(context, context.key());
      const reply = await context.wire.send({ method: 'POST', key: context.key(), query: { uploadId }, body: 'no xml' });
      return reply.status === 400 ? pass(told(reply)) : differs(told(reply));
    },
  },
  {
    id: 'errors.short-body',
    family,
    title: 'a body that breaks off leaves nothing behind',
    why: 'half an object must not look like one',
    async run(context) {
      const half = { method: 'PUT', payload: 'UNSIGNED-PAYLOAD', body: context.bytes(5000), transfer: 'cut' } as const;
      const headers = { 'content-length': '9000' };
      for (const [name, how] of [
        ['header', { headers }],
        ['address', { headers, signing: { expiresSeconds: 60 } }],
      ] as const) {
        const reply = await context.wire.send({ ...half, ...how, key: context.key(name) }).catch(() => undefined);
        demand(reply === undefined || reply.status >= 400, `half a body is answered ${reply?.status}`);
      }
      await sleep(settleMilliseconds);
      for (const name of ['header', 'address']) demand(!(await isThere(context, context.key(name))), 'half the body lies there');
      return pass('nothing lies there');
    },
  },
  {
    id: 'errors.short-overwrite',
    family,
    title: 'a body that breaks off leaves alone what is there',
    why: 'a repair that fails must not make it worse',
    async run(context) {
      const body = context.bytes();
      await context.wire.send({ method: 'PUT', key: context.key(), body });
      const headers = { 'content-length': '9000' };
      const half = { method: 'PUT', payload: 'UNSIGNED-PAYLOAD', body: context.bytes(5000), transfer: 'cut', headers } as const;
      await context.wire.send({ ...half, key: context.key() }).catch(() => undefined);
      await sleep(settleMilliseconds);
      await holds(context, context.key(), body, 'what was there');
      return pass('it is as it was');
    },
  },
  {
    id: 'errors.expect-continue',
    family,
    title: 'Expect: 100-continue is answered',
    why: 'SDKs ask before they send a long body',
    async run(context) {
      const body = context.bytes(100_000);
      const reply = await context.wire.send({
        method: 'PUT',
        key: context.key(),
        body,
        transfer: 'expect',
        patienceMilliseconds: context.continueMilliseconds,
      });
      demand(reply.status < 300, `it ${told(reply)}`);
      await holds(context, context.key(), body);
      return reply.continued ? pass('100') : differs('the body had to go unasked');
    },
  },
  {
    id: 'errors.refused-early',
    family,
    title: 'a write that is refused is refused with an answer',
    why: 'a connection that just ends looks like a failure of the network, and is tried again',
    async run(context) {
      const reply = await context.wire.send({
        method: 'PUT',
        key: context.key(),
        body: context.bytes(2 * 1024 ** 2),
        payload: '0'.repeat(64),
        signing: 'none',
      });
      return reply.status >= 400 ? pass(told(reply)) : fail(told(reply));
    },
  },
];

const settleMilliseconds = 300;

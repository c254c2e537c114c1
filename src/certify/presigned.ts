import { sha256 } from '../protocol/aws-signature.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { presignBySdk } from './sdk.ts';
import { createUpload, get, holds, isThere, put, refused, remove, told } from './steps.ts';

const family = 'presigned';
const signing = { expiresSeconds: 300 } as const;
const use = 'a browser is given an address instead of keys';
const bound = 'an address must not allow more than was meant';

export const presigned: readonly Probe[] = [
  {
    id: 'presigned.get',
    family,
    title: 'an address reads what it was signed for',
    why: use,
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const { body: found } = await get(context, context.key(), { signing });
      return found.equals(body) ? pass('200') : fail('other bytes');
    },
  },
  {
    id: 'presigned.get-range',
    family,
    title: 'a reader of an address may ask for a range',
    why: 'browsers seek',
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const { status, body: found } = await get(context, context.key(), { signing, loose: { range: 'bytes=10-19' } });
      return status === 206 && found.equals(body.subarray(10, 20)) ? pass('206') : fail(`answered ${status} with ${found.length} bytes`);
    },
  },
  {
    id: 'presigned.put',
    family,
    title: 'an address writes what it was signed for',
    why: use,
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body, { signing });
      await holds(context, context.key(), body);
      return pass('200');
    },
  },
  {
    id: 'presigned.part',
    family,
    title: 'an address sends one part of an upload',
    why: 'large files come from browsers in parts',
    async run(context) {
      const uploadId = await createUpload(context, context.key());
      await put(context, context.key(), context.bytes(), { signing, query: { partNumber: '1', uploadId } });
      return pass('200');
    },
  },
  {
    id: 'presigned.sdk',
    family,
    title: 'an address that the AWS SDK signs writes',
    why: use,
    async run(context) {
      const body = context.bytes();
      const url = await presignBySdk(context, context.key());
      const { status } = await fetch(url, { method: 'PUT', body: new Uint8Array(body) });
      if (status >= 300) return fail(`answered ${status}`);
      await holds(context, context.key(), body);
      return pass(`answered ${status}`);
    },
  },
  {
    id: 'presigned.content-type',
    family,
    title: 'a Content-Type that was not signed does no harm',
    why: 'browsers send one with every file',
    async run(context) {
      const loose = { 'content-type': 'text/x-probe' };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', signing, loose });
      return reply.status < 300 ? pass(told(reply)) : differs(`${told(reply)}: it must be signed`);
    },
  },
  {
    id: 'presigned.length',
    family,
    title: 'a Content-Length that was signed binds',
    why: bound,
    async run(context) {
      const headers = { 'content-length': '5' };
      const reply = await context.wire.send({
        method: 'PUT',
        key: context.key('longer'),
        body: 'more bytes',
        signing,
        headers,
        loose: { 'content-length': '10' },
      });
      if (reply.status < 300) return fail('a longer body was accepted');
      await put(context, context.key(), 'bytes', { signing, headers });
      return pass(told(reply));
    },
  },
  {
    id: 'presigned.digest',
    family,
    title: 'a SHA-256 that was signed binds',
    why: bound,
    async run(context) {
      const payload = sha256('bytes');
      const how = { signing, payload, headers: { 'x-amz-content-sha256': payload } };
      const reply = await context.wire.send({ method: 'PUT', key: context.key('other'), body: 'other', ...how });
      if (reply.status < 300) return fail('another body was accepted');
      await put(context, context.key(), 'bytes', how);
      return pass(told(reply));
    },
  },
  {
    id: 'presigned.create-only',
    family,
    title: 'an If-None-Match: * that was signed binds',
    why: bound,
    async run(context) {
      const body = context.bytes();
      await put(context, context.key(), body);
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', signing, headers: { 'if-none-match': '*' } });
      await holds(context, context.key(), body);
      return reply.status === 412 ? pass('412') : fail(told(reply));
    },
  },
  {
    id: 'presigned.expired-put',
    family,
    title: 'an address that has expired writes nothing',
    why: bound,
    async run(context) {
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', ...expired(context) });
      return reply.status < 300 ? fail('accepted') : pass(told(reply));
    },
  },
  {
    id: 'presigned.expired-get',
    family,
    title: 'an address that has expired reads nothing',
    why: bound,
    async run(context) {
      await put(context, context.key(), 'x');
      const reply = await context.wire.send({ key: context.key(), ...expired(context) });
      return reply.status < 300 ? fail('accepted') : pass(told(reply));
    },
  },
  {
    id: 'presigned.other-method',
    family,
    title: 'an address to read does not write',
    why: bound,
    async run(context) {
      const read = await context.wire.address({ key: context.key(), signing });
      const { status } = await fetch(read, { method: 'PUT', body: 'x' });
      return status < 300 ? fail('it does') : pass(`answered ${status}`);
    },
  },
  {
    id: 'presigned.other-key',
    family,
    title: 'an address for one key does not read another',
    why: bound,
    async run(context) {
      await put(context, context.key('secret'), 'secret');
      const read = await context.wire.address({ key: context.key('public'), signing });
      const { status } = await fetch(read.replace('/public?', '/secret?'));
      return status < 300 ? fail('it does') : pass(`answered ${status}`);
    },
  },
  {
    id: 'presigned.copy-source',
    family,
    title: 'an x-amz-copy-source that was not signed is not obeyed',
    why: 'an address to write one key would read every other',
    async run(context) {
      await put(context, context.key('secret'), 'secret');
      const loose = { 'x-amz-copy-source': `/${context.connection.bucket}/${context.key('secret')}` };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: '', signing, loose });
      if (refused(reply)) return pass(told(reply));
      const there = await isThere(context, context.key());
      const copied = there && (await get(context, context.key())).body.toString() === 'secret';
      return copied ? fail('the other object was copied') : differs(`${told(reply)}, and was not obeyed`);
    },
  },
  {
    id: 'presigned.acl',
    family,
    title: 'an x-amz-acl that was not signed is not obeyed',
    why: 'who may write would decide who may read',
    async run(context) {
      const loose = { 'x-amz-acl': 'public-read' };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', signing, loose });
      if (refused(reply)) return pass(told(reply));
      const anonymous = await context.wire.send({ key: context.key(), signing: 'none' });
      await remove(context, context.key());
      if (anonymous.status < 300) return fail('anybody could read it');
      return differs(`${told(reply)}, and not everybody can read it`);
    },
  },
  {
    id: 'presigned.metadata',
    family,
    title: 'x-amz-meta-* that were not signed are not obeyed',
    why: bound,
    async run(context) {
      const loose = { 'x-amz-meta-name': 'value' };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', signing, loose });
      if (refused(reply)) return pass(told(reply));
      const { headers } = await context.wire.send({ method: 'HEAD', key: context.key() });
      demand(headers['x-amz-meta-name'] === undefined, 'they are');
      return differs(`${told(reply)}, and they are not`);
    },
  },
];

function expired(context: ProbeContext) {
  return { signing: { expiresSeconds: 60 }, date: new Date(context.storeNow() - 3_600_000) } as const;
}

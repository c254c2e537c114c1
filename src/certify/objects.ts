import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { demand, differs, fail, type Probe, pass } from './probe.ts';
import { get, good, head, holds, isThere, put, refused, remove, told } from './steps.ts';

const family = 'objects';

export const objects: readonly Probe[] = [
  {
    id: 'objects.round-trip',
    family,
    title: 'what is written is what is read',
    why: 'a store that gives other bytes back is none',
    async run(context) {
      const body = context.bytes(70_001);
      await put(context, context.key(), body);
      await holds(context, context.key(), body);
      return pass('70,001 random bytes came back');
    },
  },
  {
    id: 'objects.empty',
    family,
    title: 'an object may be empty',
    why: 'empty files are files',
    async run(context) {
      await put(context, context.key(), '');
      const { headers } = await head(context, context.key());
      demand(headers['content-length'] === '0', `HEAD says ${headers['content-length']} bytes`);
      await holds(context, context.key(), Buffer.alloc(0));
      return pass('0 bytes came back');
    },
  },
  {
    id: 'objects.head',
    family,
    title: 'HEAD tells length and ETag without the bytes',
    why: 'writes whose answer was lost are settled by it',
    async run(context) {
      const body = context.bytes(4321);
      const written = await put(context, context.key(), body);
      const { status, headers } = await head(context, context.key());
      demand(status === 200 && headers['content-length'] === '4321', `HEAD answered ${status} and ${headers['content-length']} bytes`);
      return headers.etag === written.headers.etag
        ? pass('the same ETag as PUT')
        : fail(`ETag ${headers.etag}, PUT said ${written.headers.etag}`);
    },
  },
  {
    id: 'objects.copy',
    family,
    title: 'a copy is of the version that it names, and has its ETag',
    why: 'what was read where it came is published by a copy',
    async run(context) {
      const [from, to] = [context.key('from'), context.key('to')];
      const body = context.bytes(10_000);
      const { etag } = (await put(context, from, context.bytes(10_000))).headers;
      await put(context, from, body);
      const written = await head(context, from);
      const copy = (match: unknown) =>
        context.wire.send({
          method: 'PUT',
          key: to,
          headers: {
            'x-amz-copy-source': `/${context.connection.bucket}/${from}`,
            'x-amz-copy-source-if-match': String(match),
            'x-amz-metadata-directive': 'REPLACE',
          },
        });
      const other = await copy(etag);
      if (other.status < 300 || (await isThere(context, to))) return fail(`of a version that is gone: ${told(other)}`);
      good(await copy(written.headers.etag), 'a copy');
      await holds(context, to, body);
      const found = await head(context, to);
      return found.headers.etag === written.headers.etag ? pass(told(other)) : differs(`its ETag is ${found.headers.etag}`);
    },
  },
  {
    id: 'objects.etag-is-md5',
    family,
    title: 'the ETag of an object that came whole is its MD5',
    why: 'a write whose answer was lost is recognised by it',
    async run(context) {
      const body = context.bytes();
      const { headers } = await put(context, context.key(), body);
      const expected = createHash('md5').update(body).digest('hex');
      return headers.etag === `"${expected}"` ? pass('it is') : differs(`it is ${headers.etag}`);
    },
  },
  {
    id: 'objects.missing',
    family,
    title: 'what was never written is not there',
    why: 'missing bytes must not look like an empty object',
    async run(context) {
      const found = await head(context, context.key());
      const read = await context.wire.send({ key: context.key() });
      if (found.status === 404 && read.status === 404) return pass('404');
      return fail(`HEAD answered ${found.status}, GET ${read.status}`);
    },
  },
  {
    id: 'objects.delete',
    family,
    title: 'a deleted object is gone',
    why: 'space is freed, and what was given up is not served',
    async run(context) {
      await put(context, context.key(), context.bytes());
      const reply = await remove(context, context.key());
      demand(reply.status === 204 || reply.status === 200, `DELETE ${told(reply)}`);
      demand(!(await isThere(context, context.key())), 'it is still there');
      return pass('gone at once');
    },
  },
  {
    id: 'objects.delete-again',
    family,
    title: 'deleting what is not there is no error',
    why: 'deletes are repeated when their answer was lost',
    async run(context) {
      const never = await remove(context, context.key('never'));
      if (never.status === 404) return fail('404: repeated deletes look like failures');
      return never.status < 300 ? pass(String(never.status)) : fail(told(never));
    },
  },
  {
    id: 'objects.read-after-write',
    family,
    title: 'a new object is read at once, also where it was missed before',
    why: 'an upload is acknowledged when its bytes can be read',
    async run(context) {
      for (let round = 0; round < rounds; round++) {
        const key = context.key(String(round));
        await head(context, key);
        const body = context.bytes();
        await put(context, key, body);
        await holds(context, key, body, `round ${round + 1}: the new object`);
      }
      return pass(`${rounds} rounds`);
    },
  },
  {
    id: 'objects.read-after-overwrite',
    family,
    title: 'an overwritten object is read as it is now',
    why: 'a repair writes good bytes over bad ones',
    async run(context) {
      await put(context, context.key(), context.bytes());
      await sleep(context.ageMilliseconds);
      for (let round = 0; round < rounds; round++) {
        const body = context.bytes(1001 + round);
        await put(context, context.key(), body);
        const { headers } = await head(context, context.key());
        demand(headers['content-length'] === String(body.length), `round ${round + 1}: HEAD shows the object before`);
        await holds(context, context.key(), body, `round ${round + 1}: the new object`);
      }
      return pass(`${rounds} rounds`);
    },
  },
  {
    id: 'objects.concurrent-writes',
    family,
    title: 'of several writes to one key one stays, whole',
    why: 'two servers may write the same bytes to one key',
    async run(context) {
      const bodies = Array.from({ length: 6 }, () => context.bytes(200_000));
      await Promise.all(bodies.map((body) => put(context, context.key(), body)));
      const { body } = await get(context, context.key());
      return bodies.some((each) => each.equals(body)) ? pass('one of six, whole') : fail('what lies there is none of the six');
    },
  },
  {
    id: 'objects.metadata',
    family,
    title: 'Content-Type and x-amz-meta-* come back',
    why: 'browsers and other tools go by them',
    async run(context) {
      const headers = { 'content-type': 'text/x-probe', 'x-amz-meta-name': 'a value' };
      await put(context, context.key(), 'x', { headers });
      const { headers: found } = await head(context, context.key());
      const lost = Object.entries(headers).flatMap(([name, value]) =>
        found[name] === value ? [] : [`${name}: ${found[name] ?? 'nothing'}`],
      );
      return lost.length === 0 ? pass('both do') : fail(lost.join(', '));
    },
  },
  {
    id: 'objects.unicode-metadata',
    family,
    title: 'metadata beyond ASCII comes back',
    why: 'names of files are written in it by other tools',
    async run(context) {
      const value = 'Grüße 文';
      const headers = { 'x-amz-meta-name': Buffer.from(value).toString('latin1') };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', headers });
      if (refused(reply)) return differs(`refused: ${told(reply)}`);
      const { headers: found } = await head(context, context.key());
      const raw = Buffer.from(String(found['x-amz-meta-name'] ?? ''), 'latin1').toString();
      const word = /^=\?utf-8\?b\?(.*)\?=$/i.exec(raw)?.[1];
      if (raw === value) return pass('as it was written');
      return word !== undefined && Buffer.from(word, 'base64').toString() === value ? pass('in RFC 2047 form') : differs(`as "${raw}"`);
    },
  },
];

const rounds = 5;

import { randomUUID } from 'node:crypto';
import { demand, differs, fail, pass } from '../probe.ts';
import { listAll, put, told } from '../steps.ts';
import type { Check } from './check.ts';
import { crc32Of, listing, pageIn, reading, writing } from './cosmo-calls.ts';
import { missing } from './plain.ts';

const otherStore = 'use another store, or another version of this one';

/** What the cdn, and a router that reads the bucket itself, need. */
export const cosmoReads: readonly Check[] = [
  {
    id: 'cosmo.read',
    title: 'GetObject with response-cache-control is answered 200 with version and bytes',
    consequence: 'the cdn answers 500: routers get no configuration',
    remedy: otherStore,
    async run(ground) {
      const key = ground.key('routerconfigs/latest.json');
      const version = randomUUID();
      const body = Buffer.from(JSON.stringify({ nonce: randomUUID() }));
      await ground.wire.send(writing(key, body, { version, signature: '' }, 'crc32'));
      const { status, code, headers, body: found } = await ground.wire.send(reading(key, 'no-cache'));
      demand(status === 200, `answered ${status} ${code ?? ''}`.trim());
      demand(found.equals(body), 'other bytes came than were written');
      demand(headers['x-amz-meta-version'] === version, 'it came without its version');
      const checksum = headers['x-amz-checksum-crc32'];
      demand(checksum === undefined || checksum === crc32Of(body), 'its CRC32 is not that of the bytes: clients take them for damaged');
      const detail = checksum === undefined ? 'without a CRC32' : 'with its CRC32';
      if (headers['cache-control'] === 'no-cache') return pass(detail);
      return { ...differs(`${detail}; response-cache-control is accepted and ignored`), consequence: 'none: nothing of Cosmo reads it' };
    },
  },
  {
    id: 'cosmo.missing',
    title: 'GetObject of a missing key is answered 404 with NoSuchKey in XML',
    consequence: 'the cdn answers 500 where it should answer 404: routers take a graph without a configuration for a failure',
    remedy: otherStore,
    run: missing,
  },
  {
    id: 'cosmo.if-modified-since',
    title: 'Last-Modified is a date of HTTP, and If-Modified-Since is answered 304 without a body',
    consequence: 'a router with storage_providers.s3 refuses the answer',
    remedy: 'let routers read through the cdn; or use another store',
    async run(ground) {
      const key = ground.key('routerconfigs/latest.json');
      await put(ground, key, '{}');
      const { headers } = await ground.wire.send({ key });
      const modified = headers['last-modified'] ?? '';
      demand(httpDate.test(modified) && !Number.isNaN(Date.parse(modified)), `Last-Modified is ${JSON.stringify(modified)}`);
      const again = await ground.wire.send({ key, headers: { 'if-modified-since': modified } });
      const before = new Date(Date.parse(modified) - 3_600_000).toUTCString();
      const since = await ground.wire.send({ key, headers: { 'if-modified-since': before } });
      demand(since.status === 200 && since.body.toString() === '{}', `what was changed since ${told(since)}`);
      if (again.status === 304 && again.body.length === 0) return pass('304');
      if (again.status !== 200) return fail(told(again));
      return {
        ...differs('answered 200, with everything'),
        consequence: 'such a router reads its whole configuration every time it looks',
      };
    },
  },
  {
    id: 'cosmo.percent',
    title: 'keys with a percent sign and with marks are themselves, also in lists',
    consequence: 'persisted operations of clients whose name has a space or a mark are not found, or those of two are one',
    remedy: 'name clients with letters, digits and "-" only; or use another store',
    async run(ground) {
      const clients = ['my client', 'my%20client', 'a/b', 'a%2Fb', encodeURIComponent("client's 100% (1)!*"), 'a&b<c>'];
      const bodies = new Map(clients.map((client) => [ground.key(`operations/${client}/1.json`), Buffer.from(JSON.stringify({ client }))]));
      for (const [key, body] of bodies) await put(ground, key, body);
      for (const [key, body] of bodies) {
        const reply = await ground.wire.send(reading(key));
        const name = JSON.stringify(key.slice(ground.prefix.length));
        demand(reply.status === 200, `${name} ${told(reply)}`);
        demand(reply.body.equals(body), `${name} is another object`);
      }
      const { keys } = pageIn(await ground.wire.send(listing(`${ground.prefix}operations`)));
      const odd = keys.filter((key) => !bodies.has(key)).map((key) => JSON.stringify(key.slice(ground.prefix.length)));
      demand(odd.length === 0, `a list shows ${odd.join(', ')}`);
      const distinct = new Set(keys).size;
      return distinct === bodies.size && keys.length === distinct
        ? pass(`${distinct} keys`)
        : fail(`a list shows ${distinct} of ${bodies.size}`);
    },
  },
  {
    id: 'cosmo.wrong-secret',
    title: 'a signature by another secret is refused 403',
    consequence: 'keys are no keys: whoever reaches the store reads and writes it',
    remedy: 'switch authentication on in the store',
    async run(ground) {
      const key = ground.key('object');
      await put(ground, key, '{}');
      const wrong = { ...(await ground.keys()), secretAccessKey: ground.bytes(20).toString('hex') };
      const reply = await ground.wire.send({ ...reading(key), keys: wrong });
      if (reply.status < 300) return fail('the object was given');
      return reply.status === 403 ? pass(told(reply)) : { ...differs(told(reply)), consequence: 'none: it is refused' };
    },
  },
  {
    id: 'cosmo.other-region',
    title: 'signatures for the regions that Cosmo takes by default (auto, default) are accepted too',
    consequence: 'a part of Cosmo that was not told the region is refused',
    remedy: 'give S3_REGION to the controlplane and to the cdn, the same as here',
    async run(ground) {
      const refusals: string[] = [];
      for (const region of ['auto', 'default'].filter((each) => each !== ground.region)) {
        const wire = ground.openAs(region);
        try {
          const reply = await wire.send(listing(ground.prefix));
          if (reply.status !== 200) refusals.push(`"${region}" ${told(reply)}`);
        } finally {
          wire.close();
        }
      }
      return refusals.length === 0 ? pass('they are') : differs(refusals.join(', '));
    },
  },
  {
    id: 'cosmo.prefix',
    title: 'a prefix without a slash is compared letter by letter',
    consequence: 'artifacts of a deleted graph, or of a deleted client, stay',
    remedy: otherStore,
    async run(ground) {
      for (const name of ['operations/web/1.json', 'operations/web-admin/1.json', 'operations/w/1.json'])
        await put(ground, ground.key(name), '{}');
      const { keys } = await listAll(ground, `${ground.prefix}operations/web`);
      return keys.length === 2 ? pass('web finds web and web-admin, as Cosmo expects') : fail(`operations/web finds ${keys.length} of 2`);
    },
  },
];

/** RFC 9110, 5.6.7: the form that is written. */
const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

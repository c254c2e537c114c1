import { randomUUID } from 'node:crypto';
import { demand, differs, fail, pass } from '../probe.ts';
import { head, holds, told } from '../steps.ts';
import type { Check, Ground } from './check.ts';
import { type Generation, writing } from './cosmo-calls.ts';

const noGraph = 'the controlplane takes the write for a failure: no graph is published';
const otherStore = 'use another store, or another version of this one';

/** What the controlplane needs when it writes an artifact. */
export const cosmoWrites: readonly Check[] = [
  writes('cosmo.write', 'crc32', 'PutObject with a CRC32 and an empty signature is answered 200'),
  writes('cosmo.write-before', 'md5', 'PutObject as images before 25 February 2026 send it is answered 200'),
  {
    id: 'cosmo.write-long',
    title: 'PutObject of 3 MiB, which asks before it sends (Expect), is answered 200',
    consequence: 'configurations of 2 MiB and more are not published',
    remedy: 'look at the proxy in front of the store: it must pass on Expect: 100-continue, or answer it',
    async run(ground) {
      const body = ground.bytes(3 * 1024 ** 2);
      const key = ground.key(latest);
      const reply = await ground.wire.send(writing(key, body, { version: randomUUID(), signature: '' }, 'crc32'));
      if (reply.status !== 200) return fail(told(reply));
      await holds(ground, key, body);
      if (reply.continued) return pass('it is asked for, and whole');
      return {
        ...differs('it is whole; the body had to go unasked, after a wait'),
        consequence: 'each write of a long configuration waits before it is sent',
      };
    },
  },
  {
    id: 'cosmo.metadata',
    title: 'version and signature come back as they were written, an empty one too',
    consequence: 'the cdn serves a configuration without its version or with a wrong signature',
    remedy: otherStore,
    async run(ground) {
      const lost: string[] = [];
      for (const signature of ['q+/a9PZ0b8k=', '']) {
        const key = ground.key(`${signature === '' ? 'unsigned' : 'signed'}/latest.json`);
        const version = randomUUID();
        const reply = await ground.wire.send(writing(key, Buffer.from('{}'), { version, signature }, 'crc32'));
        demand(reply.status === 200, `the write ${told(reply)}`);
        const { status, headers } = await head(ground, key);
        demand(status === 200, `HEAD answered ${status}`);
        if (headers['x-amz-meta-version'] !== version) return fail(`the version came back as ${shown(headers['x-amz-meta-version'])}`);
        const found = headers['x-amz-meta-signature-sha256'];
        if (found !== signature && signature !== '') return fail(`a signature came back as ${shown(found)}`);
        if (found !== signature) lost.push(`an empty signature came back as ${shown(found)}`);
      }
      if (lost.length === 0) return pass('they do');
      return {
        ...differs(lost.join(', ')),
        consequence: 'who reads an artifact cannot tell an empty signature from none',
        remedy: 'nothing, unless graphs are signed',
      };
    },
  },
  {
    id: 'cosmo.swap',
    title: 'an overwrite changes body and metadata at once, and is seen at once',
    consequence: 'routers get a configuration with the version of another: a wrong signature, or an old one forever (304)',
    remedy: 'leave out caches between the cdn and the store; or use another store',
    run: swaps,
  },
];

const latest = 'routerconfigs/latest.json';

function writes(id: string, generation: Generation, title: string): Check {
  return {
    id,
    title,
    consequence: noGraph,
    remedy:
      generation === 'crc32' ? 'set AWS_REQUEST_CHECKSUM_CALCULATION=WHEN_REQUIRED for the controlplane; or use another store' : otherStore,
    async run(ground) {
      const body = Buffer.from(JSON.stringify({ nonce: randomUUID() }));
      const key = ground.key(latest);
      const reply = await ground.wire.send(writing(key, body, { version: randomUUID(), signature: '' }, generation));
      if (reply.status !== 200) return fail(told(reply));
      await holds(ground, key, body);
      return reply.headers.etag === undefined ? { ...differs('200, without an ETag'), consequence: 'none is known' } : pass('200');
    },
  };
}

/** Reads while it writes. Each read must find a body with its own metadata, and not one from before the last write. */
async function swaps(ground: Ground) {
  const key = ground.key(latest);
  const write = async (version: number): Promise<void> => {
    const body = Buffer.from(JSON.stringify({ version: String(version), padding: 'x'.repeat(65_536) }));
    const reply = await ground.wire.send(writing(key, body, { version: String(version), signature: '' }, 'crc32'));
    demand(reply.status === 200, `a write ${told(reply)}`);
  };
  let reads = 0;
  const read = async (least: number): Promise<void> => {
    const reply = await ground.wire.send({ key });
    demand(reply.status === 200, `a read beside writes ${told(reply)}`);
    const named = String(reply.headers['x-amz-meta-version']);
    const within = /^\{"version":"(\d+)"/.exec(reply.body.toString())?.[1];
    demand(
      named === within && reply.body.at(-1) === 0x7d,
      `a read found the body of version ${within} with the metadata of version ${named}`,
    );
    demand(Number(named) >= least, `after write ${least} a read found version ${named}`);
    reads += 1;
  };
  await write(0);
  let writes = 0;
  let isWriting = true;
  const readers = Array.from({ length: 3 }, async () => {
    while (isWriting) await read(writes);
  });
  const settled = Promise.allSettled(readers);
  try {
    for (let version = 1; version <= swapRounds; version++) {
      await write(version);
      writes = version;
      const { headers } = await head(ground, key);
      const named = Number(headers['x-amz-meta-version']);
      demand(named === version, `after write ${version} HEAD shows version ${named}`);
    }
  } finally {
    isWriting = false;
    await settled;
  }
  await Promise.all(readers);
  return pass(`${swapRounds} overwrites, ${reads} reads beside them`);
}

function shown(value: string | readonly string[] | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

const swapRounds = 20;

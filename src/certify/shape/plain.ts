import { demand, fail, pass } from '../probe.ts';
import { head, holds, isThere, listAll, put, remove, told } from '../steps.ts';
import type { Check, CheckFinding, Ground } from './check.ts';

const otherStore = 'use another store, or another version of this one: `artifactstore storage certify` says what it is safe for';

/** What any user of a bucket needs. */
export const plain: readonly Check[] = [
  {
    id: 'plain.round-trip',
    title: 'what is written is what is read',
    consequence: 'artifacts are damaged',
    remedy: otherStore,
    async run(ground) {
      for (const [name, body] of [
        ['some', ground.bytes(70_001)],
        ['empty', Buffer.alloc(0)],
      ] as const) {
        const key = ground.key(name);
        await put(ground, key, body);
        await holds(ground, key, body);
        const { status, headers } = await head(ground, key);
        demand(status === 200 && headers['content-length'] === String(body.length), `HEAD answered ${status} with another length`);
      }
      return pass('70,001 bytes, and none');
    },
  },
  {
    id: 'plain.overwrite',
    title: 'an overwritten object is read as it is now',
    consequence: 'what was replaced is served',
    remedy: 'leave out caches between the platform and the store; or use another store',
    async run(ground) {
      for (let round = 1; round <= rounds; round++) {
        const body = ground.bytes(1000 + round);
        await put(ground, ground.key('object'), body);
        await holds(ground, ground.key('object'), body, `after write ${round} the object`);
      }
      return pass(`${rounds} rounds`);
    },
  },
  {
    id: 'plain.list',
    title: 'a list shows what is there',
    consequence: 'what is to be deleted is not found',
    remedy: 'give the keys the right to list the bucket (s3:ListBucket)',
    async run(ground) {
      const names = ['a/1', 'a/2', 'b'].map((name) => ground.key(name));
      for (const name of names) await put(ground, name, 'x');
      const { keys } = await listAll(ground, ground.prefix);
      return keys.toSorted().join('\n') === names.join('\n') ? pass('3 of 3') : fail(`it shows ${keys.length} of 3`);
    },
  },
  {
    id: 'plain.missing',
    title: 'a missing object is answered 404 NoSuchKey',
    consequence: 'what is missing looks like a failure of the store',
    remedy: otherStore,
    run: missing,
  },
  {
    id: 'plain.delete',
    title: 'a deleted object is gone, and deleting it again is no error',
    consequence: 'what was given up stays, or clean-up fails',
    remedy: 'give the keys the right to delete objects (s3:DeleteObject)',
    async run(ground) {
      const key = ground.key('object');
      await put(ground, key, 'x');
      for (const turn of ['the first time', 'again']) {
        const reply = await remove(ground, key);
        demand(reply.status < 300, `${turn} DELETE ${told(reply)}`);
        demand(!(await isThere(ground, key)), 'it is still there');
      }
      return pass('gone at once');
    },
  },
];

/** Stores hide what is missing from keys that may not list, as AWS does. */
export async function missing(ground: Ground): Promise<CheckFinding> {
  const reply = await ground.wire.send({ key: ground.key('never') });
  const { status } = await head(ground, ground.key('never'));
  if (reply.status === 404 && reply.code === 'NoSuchKey' && status === 404) return pass('404 NoSuchKey');
  const detail = `GET ${told(reply)}, HEAD ${status}`;
  if (reply.status !== 403)
    return fail(reply.status === 404 && reply.code === undefined ? `${detail}, without the XML of a store` : detail);
  return {
    ...fail(detail),
    remedy: 'give the keys the right to list the bucket (s3:ListBucket): stores say 403 to who may not know what is missing',
  };
}

const rounds = 3;

import { type AskInScope, type ScopeFinding, tryAccount, tryBesidePrefix, tryList, tryWrite, useWithin } from '../protocol/key-scope.ts';
import type { Finding } from './certificate.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass, skipped } from './probe.ts';
import { get, put, told } from './steps.ts';

const family = 'reach';
const keysMatter = 'without that, keys are no keys';
const least = 'somebody who gets the keys gets what they reach';

export const reach: readonly Probe[] = [
  {
    id: 'reach.signature',
    family,
    title: 'a signature by another secret is refused',
    why: keysMatter,
    async run(context) {
      const keys = await context.connection.credentials.keys();
      const wrong = { ...keys, secretAccessKey: context.bytes(20).toString('hex') };
      const write = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', keys: wrong });
      if (write.status < 300) return fail('a write was accepted');
      const read = await context.wire.send({ query: { 'list-type': '2', 'max-keys': '1', prefix: context.prefix }, keys: wrong });
      return read.status < 300 ? fail('a list was given') : pass(told(read));
    },
  },
  {
    id: 'reach.session-token',
    family,
    title: 'temporary keys without their token are refused',
    why: keysMatter,
    async run(context) {
      const { sessionToken, ...keys } = await context.connection.credentials.keys();
      if (sessionToken === undefined) return skipped('these keys are not temporary');
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', keys });
      return reply.status < 300 ? fail('a write was accepted') : pass(told(reply));
    },
  },
  {
    id: 'reach.anonymous-read',
    family,
    title: 'nobody reads without keys',
    why: keysMatter,
    async run(context) {
      await put(context, context.key(), 'x');
      const read = await context.wire.send({ key: context.key(), signing: 'none' });
      if (read.status < 300) return fail('an object was given');
      const list = await context.wire.send({ query: { 'list-type': '2', prefix: context.prefix }, signing: 'none' });
      return list.status < 300 ? fail('a list was given') : pass(told(read));
    },
  },
  {
    id: 'reach.anonymous-write',
    family,
    title: 'nobody writes without keys',
    why: keysMatter,
    async run(context) {
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', signing: 'none' });
      return reply.status < 300 ? fail('a write was accepted') : pass(told(reply));
    },
  },
  {
    id: 'reach.within',
    family,
    title: 'the keys write, head, read and delete below their prefix',
    why: 'keys that cannot are not those of the registry',
    async run(context) {
      const target = { bucket: context.connection.bucket, key: context.key(), body: context.bytes(24).toString('hex') };
      const found = await useWithin(ask(context), target);
      const wrong = found.filter(({ result }) => result !== 'holds').map(({ what, told }) => `${what}: ${told}`);
      return wrong.length === 0 ? pass(found.map(({ what, told }) => `${what} ${told}`).join(', ')) : fail(wrong.join(', '));
    },
  },
  {
    id: 'reach.list-buckets',
    family,
    title: 'the keys show no other buckets',
    why: least,
    async run(context) {
      const isWithin = (name: string): boolean => name === context.connection.bucket || name.startsWith('artifactstore-certify-');
      return finding(await tryAccount(ask(context), isWithin), differs);
    },
  },
  {
    id: 'reach.other-bucket-read',
    family,
    title: 'the keys do not read the other bucket',
    why: least,
    async run(context) {
      const { otherBucket: bucket } = context;
      return bucket === undefined ? skipped(unnamed) : finding(await tryList(ask(context), bucket), fail);
    },
  },
  {
    id: 'reach.other-bucket-write',
    family,
    title: 'the keys do not write to the other bucket',
    why: least,
    async run(context) {
      const { otherBucket: bucket } = context;
      if (bucket === undefined) return skipped(unnamed);
      return finding(await tryWrite(ask(context), { bucket, key: context.key(), body: 'x' }), fail);
    },
  },
  {
    id: 'reach.other-prefix',
    family,
    title: 'the keys do not write beside their prefix',
    why: least,
    async run(context) {
      const target = { bucket: context.connection.bucket, key: context.key(), body: 'x' };
      // The store cannot know what a prefix is for: it is a matter of the keys.
      return finding(await tryBesidePrefix(ask(context), context.keyPrefix, target), differs);
    },
  },
  {
    id: 'reach.policy',
    family,
    title: "the keys do not change the bucket's policy",
    why: `${least}: who changes the policy reaches everything`,
    async run(context) {
      const now = await context.wire.send({ query: { policy: '' } });
      if (now.status === 501 || now.status === 405) return skipped(`the store knows no policies: ${told(now)}`);
      if (now.status < 300) return skipped('the bucket has a policy, which is not put at risk');
      // It is no policy: who may write one is told so, and nothing changes.
      const reply = await context.wire.send({
        method: 'PUT',
        query: { policy: '' },
        headers: { 'content-type': 'application/json' },
        body: '{',
      });
      if (reply.status === 501 || reply.status === 405) return skipped(`the store knows no policies: ${told(reply)}`);
      if (reply.status === 403) return pass(told(reply));
      if (reply.status < 300) await context.wire.send({ method: 'DELETE', query: { policy: '' } });
      return differs(`they may: ${told(reply)}`);
    },
  },
  {
    id: 'reach.acl',
    family,
    title: "the keys do not change the bucket's ACL",
    why: `${least}: who changes the ACL lets others in`,
    async run(context) {
      // There is no such ACL: who may set one is told so, and nothing changes.
      const reply = await context.wire.send({ method: 'PUT', query: { acl: '' }, headers: { 'x-amz-acl': 'artifactstore-none' } });
      if (reply.status === 501 || reply.status === 405) return skipped(`the store knows no ACLs: ${told(reply)}`);
      return reply.status === 403 ? pass(told(reply)) : differs(`not refused to them: ${told(reply)}`);
    },
  },
  {
    id: 'reach.full-bucket',
    family,
    title: 'a bucket with objects in it is not deleted',
    why: 'one wrong request must not delete everything',
    async run(context) {
      const made = await context.ownBucket();
      if ('refused' in made) return skipped(`it takes a bucket of its own, which the store ${made.refused}`);
      const { bucket } = made;
      await put(context, context.key(), 'x', { bucket });
      const reply = await context.wire.send({ method: 'DELETE', bucket });
      const read = await context.wire.send({ bucket, key: context.key() });
      demand(reply.status >= 400 && read.status === 200, `its delete was ${told(reply)}, and its object is ${told(read)}`);
      return pass(told(reply));
    },
  },
  {
    id: 'reach.owner-acl',
    family,
    title: 'the ACL bucket-owner-full-control is accepted',
    why: "where the bucket's owner cannot read what others write, it is needed",
    async run(context) {
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), body: 'x', headers: ownerAcl });
      return reply.status < 300 ? pass(told(reply)) : differs(told(reply));
    },
  },
  {
    id: 'reach.owner-reads',
    family,
    title: "the bucket's owner reads what these keys write",
    why: 'what only the writer can read is lost with the writer',
    async run(context) {
      const { ownerWire } = context;
      if (ownerWire === undefined) return skipped("the owner's keys were not given");
      const body = context.bytes();
      await put(context, context.key('plain'), body);
      await put(context, context.key('acl'), body, { headers: ownerAcl });
      const plain = await ownerWire.send({ key: context.key('plain') });
      if (plain.status < 300) return pass('as it is');
      const { body: found } = await get({ wire: ownerWire }, context.key('acl'));
      return found.equals(body) ? differs('only with the ACL bucket-owner-full-control') : fail('other bytes');
    },
  },
];

function ask({ wire }: ProbeContext): AskInScope {
  return async (question) => {
    const { status, body, headers } = await wire.send(question);
    return { status, text: body.toString(), versionId: [headers['x-amz-version-id']].flat()[0] };
  };
}

/** What refuses nothing and lets nothing through says nothing. */
function finding({ result, told }: ScopeFinding, wrong: (detail: string) => Finding): Finding {
  if (result === 'holds') return pass(told);
  return result === 'fails' ? wrong(told) : skipped(told);
}

const unnamed = 'no other bucket was named';
const ownerAcl = { 'x-amz-acl': 'bucket-owner-full-control' } as const;

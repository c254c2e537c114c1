import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './certificate.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass, skipped } from './probe.ts';
import { md5, told } from './steps.ts';
import type { Call } from './wire.ts';

const family = 'lock';
const why = 'evidence must outlive the keys that wrote it';

export const lock: readonly Probe[] = [
  {
    id: 'lock.governance',
    family,
    title: 'a version under GOVERNANCE stays until its time has passed, and can go then',
    why,
    run: (context) => inLockedBucket(context, (bucket) => retained(context, bucket, 'GOVERNANCE')),
  },
  {
    id: 'lock.compliance',
    family,
    title: 'a version under COMPLIANCE stays until its time has passed, even for its owner, and can go then',
    why,
    run: (context) => inLockedBucket(context, (bucket) => retained(context, bucket, 'COMPLIANCE')),
  },
  {
    id: 'lock.shorten',
    family,
    title: 'COMPLIANCE is not shortened',
    why,
    run: (context) =>
      inLockedBucket(context, async (bucket) => {
        const query = await write(context, bucket, 'COMPLIANCE');
        const until = new Date(context.storeNow() + 500).toISOString();
        const body = `<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
        const key = context.key();
        const how = { method: 'PUT', bucket, key, headers: { 'content-md5': md5(body) }, body };
        const reply = await context.wire.send({ ...how, query: { retention: '', ...query } });
        return reply.status >= 400 ? pass(told(reply)) : fail('it is');
      }),
  },
  {
    id: 'lock.hold',
    family,
    title: 'a version under legal hold stays until the hold is lifted',
    why,
    run: (context) =>
      inLockedBucket(context, async (bucket) => {
        const query = await write(context, bucket, undefined);
        const setHold = (status: 'ON' | 'OFF') => {
          const body = `<LegalHold><Status>${status}</Status></LegalHold>`;
          const headers = { 'content-md5': md5(body) };
          return context.wire.send({ method: 'PUT', bucket, key: context.key(), query: { 'legal-hold': '', ...query }, headers, body });
        };
        const on = await setHold('ON');
        if (on.status >= 300) return differs(`holds are ${told(on)}`);
        const reply = await context.wire.send({ method: 'DELETE', bucket, key: context.key(), query });
        const stays = (await context.wire.send({ bucket, key: context.key(), query })).status === 200;
        await setHold('OFF');
        return reply.status >= 400 && stays ? pass(told(reply)) : fail(`its delete was ${told(reply)}`);
      }),
  },
  {
    id: 'lock.marker',
    family,
    title: 'a delete that names no version hides an object and keeps its bytes',
    why,
    run: (context) =>
      inLockedBucket(context, async (bucket) => {
        const query = await write(context, bucket, 'GOVERNANCE');
        const reply = await context.wire.send({ method: 'DELETE', bucket, key: context.key() });
        const version = await context.wire.send({ bucket, key: context.key(), query });
        return version.status === 200 && version.body.toString() === text ? pass(told(reply)) : fail(`the version is ${told(version)}`);
      }),
  },
];

async function inLockedBucket(context: ProbeContext, run: (bucket: string) => Promise<Finding>): Promise<Finding> {
  const made = await context.ownBucket({ objectLock: true });
  if ('refused' in made) return skipped(`it takes a bucket of its own with object lock, which the store ${made.refused}`);
  return await run(made.bucket);
}

async function retained(context: ProbeContext, bucket: string, mode: 'GOVERNANCE' | 'COMPLIANCE'): Promise<Finding> {
  const query = await write(context, bucket, mode);
  const key = context.key();
  const bypass = mode === 'COMPLIANCE' ? { headers: { 'x-amz-bypass-governance-retention': 'true' } } : {};
  const removal: Call = { method: 'DELETE', bucket, key, query, ...bypass };
  const early = await context.wire.send(removal);
  const { body } = await context.wire.send({ bucket, key, query });
  demand(
    early.status >= 400 && body.toString() === text,
    `its delete was ${told(early)}, and its bytes are ${body.toString() === text ? 'there' : 'gone'}`,
  );
  await sleep(context.retentionMilliseconds, undefined, { ...(context.signal === undefined ? {} : { signal: context.signal }) });
  for (let tries = 1; ; tries++) {
    const late = await context.wire.send(removal);
    if (late.status < 300) return pass(`${told(early)}; afterwards ${told(late)}`);
    if (tries === 10) return differs(`${told(early)}; afterwards still ${told(late)}`);
    await sleep(500);
  }
}

/** Writes one object, and answers the query that names its version. */
async function write(context: ProbeContext, bucket: string, mode: 'GOVERNANCE' | 'COMPLIANCE' | undefined) {
  const until = new Date(context.storeNow() + context.retentionMilliseconds).toISOString();
  const locked = mode === undefined ? {} : { 'x-amz-object-lock-mode': mode, 'x-amz-object-lock-retain-until-date': until };
  const headers = { 'content-md5': md5(text), ...locked };
  const reply = await context.wire.send({ method: 'PUT', bucket, key: context.key(), body: text, headers });
  demand(reply.status < 300, `a locked write was ${told(reply)}`);
  const versionId = reply.headers['x-amz-version-id'];
  demand(typeof versionId === 'string', 'a locked write got no version');
  return { versionId };
}

const text = 'evidence';

import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './certificate.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass, skipped } from './probe.ts';
import { md5, told } from './steps.ts';
import type { Call, Reply } from './wire.ts';

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
      inLockedBucket(context, (bucket) =>
        whileLocked(context, bucket, 'COMPLIANCE', async ({ query, isLocked }) => {
          const until = new Date(context.storeNow() + 500).toISOString();
          const body = `<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
          const key = context.key();
          const how = { method: 'PUT', bucket, key, headers: { 'content-md5': md5(body) }, body };
          const reply = await context.wire.send({ ...how, query: { retention: '', ...query } });
          if (reply.status >= 400) return pass(told(reply));
          return isLocked() ? fail('it is') : undefined;
        }),
      ),
  },
  {
    id: 'lock.hold',
    family,
    title: 'a version under legal hold stays until the hold is lifted',
    why,
    run: (context) =>
      inLockedBucket(context, async (bucket) => {
        const query = versionOf(await write(context, bucket));
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
        const query = versionOf(await write(context, bucket, lockFor(context, 'GOVERNANCE', context.retentionMilliseconds)));
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

async function retained(context: ProbeContext, bucket: string, mode: Mode): Promise<Finding> {
  const key = context.key();
  const bypass = mode === 'COMPLIANCE' ? { headers: { 'x-amz-bypass-governance-retention': 'true' } } : {};
  return await whileLocked(context, bucket, mode, async ({ query, isLocked, milliseconds }) => {
    const removal: Call = { method: 'DELETE', bucket, key, query, ...bypass };
    const early = await context.wire.send(removal);
    const isThere = (await context.wire.send({ bucket, key, query })).body.toString() === text;
    const stays = early.status >= 400 && isThere;
    if (!stays && !isLocked()) return undefined;
    demand(stays, `its delete was ${told(early)}, and its bytes are ${isThere ? 'there' : 'gone'}`);
    await sleep(milliseconds, undefined, { ...(context.signal === undefined ? {} : { signal: context.signal }) });
    for (let tries = 1; ; tries++) {
      const late = await context.wire.send(removal);
      if (late.status < 300) return pass(`${told(early)}; afterwards ${told(late)}`);
      if (tries === 10) return differs(`${told(early)}; afterwards still ${told(late)}`);
      await sleep(500);
    }
  });
}

type Mode = 'GOVERNANCE' | 'COMPLIANCE';

interface Lock {
  /** Names the version. */
  readonly query: Readonly<Record<string, string>>;
  readonly milliseconds: number;
  /** Whether whatever has been answered by now was so while the version was locked, whoever's clock counts. */
  isLocked(): boolean;
}

/**
 * Writes a locked version and asks about it. An answer that came so late that the lock may have ended before says
 * nothing of the store: `ask` gives undefined then, and it is locked for longer once.
 */
async function whileLocked(
  context: ProbeContext,
  bucket: string,
  mode: Mode,
  ask: (lock: Lock) => Promise<Finding | undefined>,
): Promise<Finding> {
  for (const times of [1, 3]) {
    const milliseconds = times * context.retentionMilliseconds;
    const begun = performance.now();
    const isLocked = (): boolean => performance.now() - begun < milliseconds / 2;
    const reply = await write(context, bucket, lockFor(context, mode, milliseconds));
    if (reply.status >= 300 && !isLocked()) continue;
    const found = await ask({ query: versionOf(reply), milliseconds, isLocked });
    if (found !== undefined) return found;
  }
  return skipped('the store answered so late that the locks may have ended before');
}

function lockFor(context: ProbeContext, mode: Mode, milliseconds: number): Readonly<Record<string, string>> {
  const until = new Date(context.storeNow() + milliseconds).toISOString();
  return { 'x-amz-object-lock-mode': mode, 'x-amz-object-lock-retain-until-date': until };
}

async function write(context: ProbeContext, bucket: string, locked: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const headers = { 'content-md5': md5(text), ...locked };
  return await context.wire.send({ method: 'PUT', bucket, key: context.key(), body: text, headers });
}

/** The query that names the version that was written. */
function versionOf(reply: Reply): Readonly<Record<string, string>> {
  demand(reply.status < 300, `a locked write was ${told(reply)}`);
  const versionId = reply.headers['x-amz-version-id'];
  demand(typeof versionId === 'string', 'a locked write got no version');
  return { versionId };
}

const text = 'evidence';

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../../../src/compose/open-store.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { collect } from '../../../src/registry/conformance/samples.ts';
import type { WriteHandle } from '../../../src/registry/REGISTRY.ts';
import { createRandom, type Random } from '../random.ts';
import { sendTo } from './presigned-bucket.ts';

/** What a session was opened for, and what was acknowledged of it. */
interface Meant {
  readonly id: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Its package, once a commit said so. */
  packageId: string | undefined;
  /** Somebody aborted it, or made it expire, and nobody had been told of a package before. */
  ended: boolean;
}

/** What may be answered to who does not know what others do meanwhile. */
const expected = [
  'write_session_closed',
  'write_session_committing',
  'write_session_aborted',
  'write_session_expired',
  'write_session_incomplete',
  'write_session_not_found',
  'too_many_write_sessions',
  'write_session_object_received',
  'upload_superseded',
  'upload_not_found',
  'upload_finished',
  'upload_offset_mismatch',
];

export interface RandomSessions {
  /** Share a database and a backend. */
  readonly stores: readonly Store[];
  readonly seed: number;
  readonly steps: number;
  /** Makes a session expire. */
  age(id: string): Promise<void>;
  /** Where senders write to the store by addresses: puts other bytes behind one, as a store that breaks its word. */
  spoil?(url: string, bytes: Uint8Array): void;
}

/**
 * Opens, puts, puts late, in pieces or to the store itself, commits, aborts, expires, sweeps, collects and abandons
 * packages at random, several at a time, on registries that share a database. What a commit answered stays readable,
 * byte by byte; each session makes one sealed package or none; and no byte is seen that was not announced.
 */
export async function useSessionsAtRandom({ stores, seed, steps, age, spoil }: RandomSessions): Promise<number> {
  const random = createRandom(seed);
  const any = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const sessions = () => any(stores).as('tester').writeSessions;
  const producer = `random ${seed}`;
  /** Of few contents, so that sessions share objects, and find those of others. */
  const contents = Array.from({ length: 12 }, (_, index) => content(random, `${seed} ${index}`));
  const all: Meant[] = [];
  const given: { readonly handle: WriteHandle; readonly bytes: Uint8Array }[] = [];
  let opened = 0;

  async function open(): Promise<void> {
    const key = `key ${random(4) === 0 ? random(opened + 1) : opened++}`;
    const files = new Map(Array.from({ length: 1 + random(4) }, (_, index) => [`dir/${index}`, any(contents)] as const));
    const objects = [...files].map(([name, bytes]) => ({ name, sha256: hex(bytes), size_bytes: bytes.length }));
    const request = { scope: 's', producer, subject: 'u', namespace: key, retention_class: 'transient', ttl_seconds: 3600, objects };
    try {
      const { record, created } = await sessions().open(request, { idempotencyKey: key });
      if (created) all.push({ id: record.id, files, packageId: undefined, ended: false });
    } catch (error) {
      if (!isArtifactstoreError(error, 'idempotency_conflict')) throw error;
    }
  }

  async function put(meant: Meant): Promise<void> {
    const [name, bytes] = any([...meant.files]);
    const fault = random(8);
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 50_000) {
        yield fault === 0 ? Buffer.alloc(Math.min(50_000, bytes.length - at), 1) : bytes.slice(at, at + 50_000);
        await pause(random(3));
      }
      if (fault === 1) throw new Error('the connection broke');
      // So late that others may have committed, ended and swept it.
      if (fault < 4) await pause(random(40));
    };
    await sessions()
      .put(meant.id, name, body())
      .catch((error: unknown) => {
        const mayFail = fault < 2 && (isArtifactstoreError(error, 'digest_mismatch') || String(error).includes('the connection broke'));
        if (!mayFail) throw error;
      });
  }

  /** A piece of an object, of which others may send pieces too. */
  async function putPiece(meant: Meant): Promise<void> {
    const [name, bytes] = any([...meant.files]);
    const { record } = await sessions().beginUpload(meant.id, name);
    const { id, offset_bytes: from } = record;
    const to = random(3) === 0 ? bytes.length : from + random(bytes.length - from + 1);
    const fault = random(8);
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield fault === 0 ? Buffer.alloc(to - from, 1) : bytes.slice(from, to);
      await pause(random(20));
      if (fault === 1) throw new Error('the connection broke');
    };
    await any(stores)
      .as('tester')
      .uploads!.append(id, from, body())
      .catch((error: unknown) => {
        if (!isArtifactstoreError(error, 'digest_mismatch') && !String(error).includes('the connection broke')) throw error;
      });
  }

  /** By a handle of now, or by one that was given for whatever session before, which may have ended. */
  async function putByHandle(meant: Meant): Promise<void> {
    const [name, bytes] = any([...meant.files]);
    const handle = (await sessions().status(meant.id))?.objects.find((each) => each.name === name)?.handle;
    if (handle !== undefined) given.push({ handle, bytes });
    if (given.length === 0) return;
    const one = handle === undefined || random(3) === 0 ? any(given) : { handle, bytes };
    if (random(6) === 0) return void spoil!(one.handle.url, Buffer.alloc(one.bytes.length, 7));
    if (random(3) === 0) await pause(random(40));
    const answer = await sendTo(one.handle, random(8) === 0 ? Buffer.alloc(one.bytes.length, 1) : one.bytes);
    await answer.body?.cancel();
    assert.ok([200, 400, 412].includes(answer.status), `the store answered ${answer.status}`);
  }

  async function putAll(meant: Meant): Promise<void> {
    for (const [name, bytes] of meant.files)
      await sessions().put(
        meant.id,
        name,
        (async function* () {
          yield bytes.slice();
        })(),
      );
    await commit(meant);
  }

  async function commit(meant: Meant): Promise<void> {
    const { package_id } = await sessions().commit(meant.id);
    assert.ok(meant.packageId === undefined || meant.packageId === package_id, `${meant.id} made two packages`);
    assert.ok(!meant.ended, `${meant.id} was committed after it had ended`);
    meant.packageId = package_id;
  }

  async function end(meant: Meant): Promise<void> {
    if (random(2) === 0) {
      await sessions().abort(meant.id);
      assert.equal(meant.packageId, undefined, `${meant.id} was aborted after its commit was answered`);
      meant.ended = true;
    } else await age(meant.id);
  }

  /** Somebody with the same rights meddles with the package of a commit that is under way. */
  async function abandon(meant: Meant): Promise<void> {
    const { package_id } = (await sessions().status(meant.id)) ?? {};
    if (package_id == null) return;
    await any(stores)
      .as('meddler')
      .packages.abandon(package_id)
      .catch((error: unknown) => {
        if (!isArtifactstoreError(error, 'package_not_open')) throw error;
      });
  }

  async function step(): Promise<void> {
    const kind = random(20);
    const meant = all.length === 0 ? undefined : all[Math.max(0, all.length - 1 - random(6))]!;
    if (kind < 4 || meant === undefined) return await open();
    if (kind < 7) return await (spoil !== undefined && random(3) > 0 ? putByHandle : put)(meant);
    if (kind < 9) return await putPiece(meant);
    if (kind < 12) return await putAll(meant);
    if (kind < 14) return await commit(meant);
    if (kind < 15) return await end(meant);
    if (kind < 16) return await abandon(meant);
    if (kind < 17) return void (await any(stores).operator.sweep());
    if (kind < 18) return void (await any(stores).operator.collect());
    await check(meant);
  }

  /** What is committed is there whole, and nothing of the others is. */
  async function check(meant: Meant): Promise<void> {
    const { packageId } = meant;
    if (packageId === undefined) return;
    const registry = any(stores).as('reader');
    assert.equal((await registry.packages.get(packageId))?.status, 'finalized');
    for (const [name, bytes] of meant.files) {
      const read = await registry.files.open({ package_id: packageId, relative_path: name });
      assert.equal(Buffer.compare(await collect(read!.body), bytes), 0, `${name} of ${meant.id} has a wrong byte`);
    }
  }

  const running = new Set<Promise<void>>();
  for (let count = 0; count < steps; count++) {
    const work: Promise<void> = step()
      .catch((error: unknown) => {
        if (!isArtifactstoreError(error) || !expected.includes(error.code)) throw error;
      })
      .finally(() => running.delete(work));
    running.add(work);
    work.catch(() => undefined);
    if (running.size >= 6) await Promise.race(running);
  }
  await Promise.all(running);
  await checkEnd();
  return all.filter(({ packageId }) => packageId !== undefined).length;

  async function checkEnd(): Promise<void> {
    for (const meant of all) await check(meant);
    const registry = any(stores).as('reader');
    const { items } = await registry.packages.list({ producer, limit: 1000 });
    const sealed = Map.groupBy(
      items.filter(({ status }) => status === 'finalized'),
      ({ metadata }) => metadata.write_session,
    );
    for (const [id, packages] of sealed) assert.equal(packages.length, 1, `${id} made several packages`);
    for (const meant of all) if (meant.packageId !== undefined) assert.equal(sealed.get(meant.id)?.[0]?.id, meant.packageId);
    for (const { id } of all) {
      const state = (await sessions().status(id))?.state;
      if (state === 'open' || state === 'committing') await age(id);
    }
    await any(stores).operator.sweep();
    await any(stores).operator.collect();
    for (const { id, packageId } of all) {
      const session = await sessions().status(id);
      const sealedNow = (await registry.packages.list({ producer, status: 'finalized', limit: 1000 })).items;
      const made = sealedNow.some(({ metadata }) => metadata.write_session === id);
      assert.equal(session?.state === 'committed', made, `${id} is ${session?.state}`);
      if (packageId !== undefined) assert.equal(session?.package_id, packageId);
    }
    for (const meant of all) await check(meant);
    const open = (await registry.packages.list({ producer, status: 'created', limit: 1000 })).items;
    assert.deepEqual(open, [], 'a package of an ended session is still open');
  }
}

function content(random: Random, seed: string): Uint8Array {
  const size = random(4) === 0 ? random(30) : random(200_000);
  return Buffer.alloc(size, createHash('sha512').update(seed).digest());
}

function hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

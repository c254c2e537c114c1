import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../../src/compose/open-store.ts';
import { type Config, readConfig } from '../../../src/config/config.ts';
import { writerMilliseconds } from '../../../src/registry/operations/uploads/rows.ts';
import { forEachLimited } from '../../../src/runtime/limit.ts';
import { openWorkplace, type Workplace } from '../../cli/workplace.ts';
import { ageUpload } from '../../registry/age.ts';
import { createRandom } from '../../registry/random.ts';
import { sendByIetf } from './ietf-wire.ts';
import { type KilledServers, serveAndKill } from './killed-server.ts';
import { pushUntilDone } from './push-wire.ts';
import { sendWhole } from './put-wire.ts';
import { sendRanges } from './ranges-wire.ts';
import { authorization, type Run, type Tally, type Wire } from './run.ts';
import { sendByTus } from './tus-wire.ts';

export interface KillMatrix {
  readonly seed: number;
  /** Files a wire that a kill of their client or of a server hits on their way. */
  readonly runs: number;
  /** The same of pushes. */
  readonly pushes: number;
  /** No other file is begun after these, however few were hit, and no server killed. */
  readonly seconds?: number | undefined;
  /** For how long a server lives at most; where absent, for longer each time. */
  readonly lifeSeconds?: number | undefined;
  /** Those that are used, beside pushes; all where absent. */
  readonly only?: readonly string[] | undefined;
  /** Of a backend other than a directory, or another database. */
  readonly environment?: Readonly<Record<string, string>>;
  /** With 2, one of two is killed at a time, and the other continues; each has a directory of its own. */
  readonly servers?: 1 | 2;
  /** What lies in the backend for uploads, where it is no directory. */
  left?(): Promise<readonly string[]> | readonly string[];
}

const wires: Readonly<Record<string, Wire>> = { put: sendWhole, ranges: sendRanges, tus: sendByTus, ietf: sendByIetf };

/**
 * Sends files over every wire while clients and servers are killed at random; then each file is what was sent, and
 * nothing is left of any upload.
 */
export async function killUploads({
  seed,
  runs,
  pushes,
  environment = {},
  servers: count = 1,
  only,
  seconds,
  lifeSeconds,
  left,
}: KillMatrix): Promise<void> {
  const random = createRandom(seed);
  using opened = new DisposableStack();
  const places = Array.from({ length: count }, () => opened.use(openWorkplace(environment)));
  if (environment.ARTIFACTSTORE_DATABASE_URL !== undefined) await places[0]!.spawned('migrate');
  const ends = performance.now() + 1000 * (seconds ?? Number.POSITIVE_INFINITY);
  const servers = await serveAndKill(places, random, ends, lifeSeconds === undefined ? undefined : 1000 * lifeSeconds);
  const sent = new Map<string, string>();
  const failed = new AbortController();
  const totals: Record<string, Total> = {};
  const shared = (name: string): Shared => {
    totals[name] = { files: 0, hit: 0, killed: 0, continued: 0 };
    return { servers, sent, random: createRandom(random(2 ** 30)), signal: failed.signal, total: totals[name], ends };
  };
  try {
    await Promise.all([
      ...Object.entries(wires)
        .filter(([name]) => only?.includes(name) ?? true)
        .map(([name, wire]) => sendAll(name, wire, runs, shared(name))),
      pushAll(places[0]!, pushes, shared('push')),
    ]).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  } finally {
    await servers.stop();
  }
  process.stderr.write(`seed ${seed}: ${sent.size} files, servers were killed ${servers.kills} times, clients ${JSON.stringify(totals)}\n`);
  assert.ok(servers.kills > 0);

  await requireFiles(readConfig({ ...environment }, { directory: places[0]!.directory }), sent);
  await requireNothingLeft(places.map(({ directory }) => readConfig({ ...environment }, { directory })));
  for (const { directory } of places) assert.deepEqual(draftsBelow(directory), []);
  assert.deepEqual((await left?.()) ?? [], []);
}

async function requireFiles(config: Config, sent: ReadonlyMap<string, string>): Promise<void> {
  await using store = await openStore(config);
  const registry = store.as('tester');
  await forEachLimited([...sent], readsAtOnce, async ([where, digest]) => {
    const [packageId, path] = where.split(' ') as [string, string];
    const file = await registry.files.find(packageId, path);
    assert.ok(file !== undefined, `${path} is not there`);
    const opened = await registry.files.open({ file_id: file.id });
    const hash = createHash('sha256');
    for await (const chunk of opened!.body) hash.update(chunk);
    assert.equal(hash.digest('hex'), digest, `${path} has other bytes`);
  });
}

/** Files of a matrix by hand are many, and a gateway takes its time for each. */
const readsAtOnce = 8;

/** After uploads have expired and each machine has collected. */
async function requireNothingLeft(configs: readonly Config[]): Promise<void> {
  for (const config of configs) {
    await using store = await openStore(config);
    let open = 0;
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const { items, next_cursor } = await store.operator.listUploads({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
      for (const { id } of items) await ageUpload(config, id, 90_000);
      open += items.length;
      cursor = next_cursor;
    }
    // The writer of one may have been killed a moment ago, and counts as being at work until it was silent for so long.
    if (open > 0) await sleep(writerMilliseconds);
    await store.operator.settleHeld();
    const { backends } = await store.operator.collect({ draftAgeSeconds: -1 });
    for (const { backend_id, stored_objects, live_objects, stored_bytes, live_bytes } of backends)
      assert.deepEqual([stored_objects, stored_bytes], [live_objects, live_bytes], backend_id);
    const registry = store.as('tester');
    for (const { backend_id, open_uploads } of (await registry.usage()).backends) assert.equal(open_uploads, 0, backend_id);
    for (const { backend_id, held_objects } of (await registry.health()).backends) assert.equal(held_objects, 0, backend_id);
  }
}

/** What happened to the files of one wire. */
interface Total extends Tally {
  files: number;
  /** During how many of them a client or a server was killed; of pushes, the uploads that were then under way. */
  hit: number;
}

/** What the senders of one wire share with those of others, and what they have for themselves. */
interface Shared extends Pick<Run, 'random' | 'signal'> {
  readonly servers: KilledServers;
  readonly total: Total;
  /** By `performance`, when no other is begun. */
  readonly ends: number;
  /** The SHA-256 of each file that is there. */
  readonly sent: Map<string, string>;
}

async function sendAll(name: string, wire: Wire, runs: number, shared: Shared): Promise<void> {
  const { servers, sent, random, signal } = shared;
  const { url } = servers;
  const packageId = await newPackage(url, name);
  await untilHit(name, runs, Math.max(3, Math.ceil(runs / 20)), shared, async (path, tally) => {
    const bytes = contentOf(path, 1 + random(random(4) === 0 ? 3_000_000 : 400_000));
    await wire({ url, packageId, path, bytes, random, signal, tally });
    sent.set(`${packageId} ${path}`, createHash('sha256').update(bytes).digest('hex'));
    return undefined;
  });
}

/** Each of its large files is an upload; a kill hits those that are under way. */
async function pushAll(place: Workplace, pushes: number, shared: Shared): Promise<void> {
  const { servers, sent, random, signal } = shared;
  const transfer = { milliseconds: 2_000 };
  await untilHit('push', pushes, 2, shared, async (name, tally) => {
    // Above what a push sends as an upload that resumes, and one below.
    const names = Array.from({ length: Math.min(4, pushes) }, (_, index) => `large-${index}`);
    const contents = new Map(names.map((file) => [file, contentOf(`${name}-${file}`, 16_777_217 + random(1_000_000))]));
    contents.set('small', contentOf(`${name}-small`, random(100_000)));
    place.write(Object.fromEntries([...contents].map(([file, bytes]) => [`${name}/${file}`, bytes])));
    const hit = new Set<string>();
    const onKill = (underWay: readonly string[]): void => {
      for (const upload of underWay) hit.add(upload);
    };
    const id = await pushUntilDone(place, servers, name, { random, signal, tally, transfer, onKill });
    for (const [file, bytes] of contents) sent.set(`${id} ${file}`, createHash('sha256').update(bytes).digest('hex'));
    rmSync(place.path(name), { recursive: true });
    return hit.size;
  });
}

/**
 * Sends files, so many at once, until enough of them were hit by a kill: of their client, or of a server meanwhile,
 * unless `send` says how many were.
 */
async function untilHit(
  name: string,
  runs: number,
  atOnce: number,
  { servers, total, ends }: Pick<Shared, 'servers' | 'total' | 'ends'>,
  send: (name: string, tally: Tally) => Promise<number | undefined>,
): Promise<void> {
  const one = async (): Promise<void> => {
    while (total.hit < runs && performance.now() < ends) {
      const file = `${name}-${total.files}`;
      total.files += 1;
      const tally = { killed: 0, continued: 0 };
      const before = servers.kills;
      const hit = await send(file, tally);
      total.hit += hit ?? (tally.killed > 0 || servers.kills > before ? 1 : 0);
      total.killed += tally.killed;
      total.continued += tally.continued;
      tell(`${file}, ${total.hit} of ${runs} were hit, after ${servers.kills} kills of servers`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, runs) }, one));
}

const tells = process.env.ARTIFACTSTORE_TEST_ROUNDS !== undefined;

/** By hand it takes long. */
function tell(text: string): void {
  if (tells) process.stderr.write(`${text}\n`);
}

/** A package can be made only while there is a server. */
async function newPackage(url: string, name: string): Promise<string> {
  for (;;) {
    const answer = await fetch(`${url}/packages`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': name },
      body: JSON.stringify({ name, producer: 'p', subject: 's', retention_class: 'transient' }),
    }).then(
      async (response) => (response.ok ? ((await response.json()) as { readonly id: string }) : undefined),
      () => undefined,
    );
    if (answer !== undefined) return answer.id;
    await sleep(150);
  }
}

/** Different for each name, and in each of its blocks. */
function contentOf(name: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  const seed = createHash('sha256').update(name).digest();
  for (let at = 0; at < size; at += 32) {
    seed.copy(bytes, at);
    seed.writeUInt32LE((seed.readUInt32LE(0) + 1) >>> 0, 0);
  }
  return bytes;
}

function draftsBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(^|\/)(drafts|spool)(\/|$)/.test(entry.parentPath))
    .map(({ parentPath, name }) => join(parentPath, name));
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { openWorkplace, type Workplace } from '../../cli/workplace.ts';
import { ageUpload } from '../../registry/age.ts';
import { createRandom, type Random } from '../../registry/random.ts';
import { sendByIetf } from './ietf-wire.ts';
import { type KilledServer, serveAndKill } from './killed-server.ts';
import { pushUntilDone } from './push-wire.ts';
import { sendRanges } from './ranges-wire.ts';
import { authorization, type Wire } from './run.ts';
import { sendByTus } from './tus-wire.ts';

export interface KillMatrix {
  readonly seed: number;
  /** Files a wire. */
  readonly runs: number;
  readonly pushes: number;
  /** Of a backend other than a directory. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What lies in the backend for uploads, where it is no directory. */
  left?(): Promise<readonly string[]> | readonly string[];
}

const wires: Readonly<Record<string, Wire>> = { ranges: sendRanges, tus: sendByTus, ietf: sendByIetf };

/**
 * Sends files over every wire while clients and the server are killed at random; then each file is what was sent, and
 * nothing is left of any upload.
 */
export async function killUploads({ seed, runs, pushes, environment = {}, left }: KillMatrix): Promise<void> {
  const random = createRandom(seed);
  using place = openWorkplace(environment);
  const server = await serveAndKill(place, random);
  const sent = new Map<string, string>();
  const failed = new AbortController();
  const { signal } = failed;
  try {
    await Promise.all([
      ...Object.entries(wires).map(([name, wire]) => sendAll(server, name, wire, runs, createRandom(random(2 ** 30)), sent, signal)),
      pushAll(place, server, pushes, createRandom(random(2 ** 30)), sent, signal),
    ]).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
  } finally {
    await server.stop();
  }
  process.stderr.write(`seed ${seed}: ${sent.size} files, and the server was killed ${server.kills} times\n`);
  assert.ok(server.kills > 0);

  const config = readConfig({ ...environment }, { directory: place.directory });
  await using store = await openStore(config);
  const registry = store.as('tester');
  for (const [where, digest] of sent) {
    const [packageId, path] = where.split(' ') as [string, string];
    const file = await registry.files.find(packageId, path);
    assert.ok(file !== undefined, `${path} is not there`);
    const opened = await registry.files.open({ file_id: file.id });
    const hash = createHash('sha256');
    for await (const chunk of opened!.body) hash.update(chunk);
    assert.equal(hash.digest('hex'), digest, `${path} has other bytes`);
  }
  for (;;) {
    const { items, next_cursor } = await store.operator.listUploads({ limit: 1000 });
    for (const { id } of items) await ageUpload(config, id, 90_000);
    if (next_cursor === null) break;
  }
  await store.operator.settleHeld();
  const { backends } = await store.operator.collect({ draftAgeSeconds: -1 });
  for (const { backend_id, stored_objects, live_objects, stored_bytes, live_bytes } of backends)
    assert.deepEqual([stored_objects, stored_bytes], [live_objects, live_bytes], backend_id);
  for (const { backend_id, open_uploads } of (await registry.usage()).backends) assert.equal(open_uploads, 0, backend_id);
  assert.deepEqual(await (left?.() ?? draftsBelow(place.directory)), []);
}

async function sendAll(
  server: KilledServer,
  name: string,
  wire: Wire,
  runs: number,
  random: Random,
  sent: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const packageId = await newPackage(server.url, name);
  const atOnce = Math.max(3, Math.ceil(runs / 20));
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < runs; index = next++) {
      const path = `${name}-${index}`;
      const bytes = contentOf(path, 1 + random(random(4) === 0 ? 3_000_000 : 400_000));
      await wire({ url: server.url, packageId, path, bytes, random, signal });
      sent.set(`${packageId} ${path}`, createHash('sha256').update(bytes).digest('hex'));
      tell(`${path}, after ${server.kills} kills`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function pushAll(
  place: Workplace,
  server: KilledServer,
  pushes: number,
  random: Random,
  sent: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  for (let index = 0; index < pushes; index++) {
    const name = `push-${index}`;
    // Above what a push sends as an upload that resumes, and one below.
    const [large, small] = [contentOf(name, 17_000_000 + random(4_000_000)), contentOf(`${name}-small`, random(100_000))];
    place.write({ [`${name}/large`]: large, [`${name}/small`]: small });
    const id = await pushUntilDone(place, server.url, name, random, signal);
    sent.set(`${id} large`, createHash('sha256').update(large).digest('hex'));
    sent.set(`${id} small`, createHash('sha256').update(small).digest('hex'));
    tell(`${name}, after ${server.kills} kills`);
  }
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

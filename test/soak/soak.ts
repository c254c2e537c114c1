import assert from 'node:assert/strict';
import { connectRegistry } from '../../src/client/connect.ts';
import { openStore } from '../../src/compose/open-store.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Collection } from '../../src/registry/upkeep/OPERATOR.ts';
import { openWorkplace } from '../cli/workplace.ts';
import { contentBytes, createProducer } from './producer.ts';

export interface SoakOptions {
  readonly databaseUrl: string;
  readonly operations: number;
  readonly seed: number;
  /** More settings, such as those of a bucket. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `local` where absent. */
  readonly backendId?: string;
}

export interface SoakResult {
  readonly requests: number;
  readonly operations: Readonly<Record<string, number>>;
  readonly collections: number;
  readonly collected: number;
  readonly deleted: number;
  readonly kept: number;
  readonly seconds: number;
}

const writers = 8;
const contents = 300;

/**
 * Eight producers over HTTP on two server processes, with sweeps and collections running without a pause, and then a
 * look at everything: each acknowledged file has its bytes, nothing in the store is missing or too much, and the log
 * and its views agree.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const environment = {
    ARTIFACTSTORE_DATABASE_URL: options.databaseUrl,
    ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml',
    ARTIFACTSTORE_PORT: '0',
    ...options.environment,
  };
  using place = openWorkplace(environment);
  place.write({ 'retention.toml': '[retention_classes.blink]\ndefault_duration_seconds = 1\n' });
  assert.equal((await place.run('migrate')).code, 0);
  const servers = [await place.serve('serve'), await place.serve('serve')];
  const registries = Array.from({ length: writers }, (_, index) =>
    connectRegistry({ url: servers[index % servers.length]!.url, token: 'cli-test-token' }),
  );
  await using store = await openStore(readConfig(environment, { directory: place.directory }));
  const started = performance.now();

  let over = false;
  const collections: Collection[] = [];
  const collecting = (async () => {
    while (!over) {
      await store.operator.sweep();
      collections.push(await store.operator.collect());
    }
  })();
  collecting.catch(() => undefined);
  const producers = registries.map((registry, index) =>
    createProducer(registry, `producer ${index}`, randomFrom(options.seed * 100 + index), contents),
  );
  try {
    await Promise.race([
      Promise.all(producers.map((producer) => producer.run(Math.ceil(options.operations / writers)))),
      collecting.then(() => assert.fail('collecting ended before the producers')),
    ]);
  } finally {
    over = true;
  }
  await collecting;
  const seconds = (performance.now() - started) / 1000;

  const last = await store.operator.collect();
  for (const backend of last.backends) {
    assert.equal(backend.stored_bytes, backend.live_bytes, 'bytes in the store are those that the log says are live');
    assert.equal(backend.stored_objects, backend.live_objects);
  }
  const verified = await store.operator.verifyStorage(options.backendId ?? 'local', { restart: true });
  assert.deepEqual([verified.failed, verified.missing], [0, 0]);
  const kept = producers.flatMap((producer) => producer.kept());
  const registry = store.as('checker');
  for (const { package_id, relative_path, content } of kept) {
    const opened = await registry.files.open({ package_id, relative_path });
    assert.ok(opened !== undefined, `${package_id} ${relative_path}`);
    const parts: Uint8Array[] = [];
    for await (const chunk of opened.body) parts.push(Buffer.from(chunk));
    assert.ok(Buffer.concat(parts).equals(contentBytes(content)), `${package_id} ${relative_path}`);
  }
  const { ok, reason, sequence } = await store.operator.verifyEvents();
  assert.ok(ok, reason);
  assert.equal((await store.operator.replay()).sequence, sequence);
  for (const backend of (await store.operator.collect()).backends) assert.equal(backend.stored_bytes, backend.live_bytes, 'after replay');
  await Promise.all(registries.map((each) => each.close()));
  for (const server of servers) {
    assert.equal(await server.signal('SIGTERM'), 0);
    const errors = server
      .log()
      .split('\n')
      .filter((line) => /"level":(50|60)/.test(line));
    assert.deepEqual(errors, [], 'a server logged an error');
  }
  const operations: Record<string, number> = {};
  for (const { done } of producers) for (const [title, count] of Object.entries(done)) operations[title] = (operations[title] ?? 0) + count;
  return {
    requests: producers.reduce((sum, each) => sum + each.requests(), 0),
    operations,
    collections: collections.length,
    collected: collections.reduce((sum, each) => sum + each.collected_package_ids.length, 0),
    deleted: collections.reduce((sum, each) => sum + each.deleted_objects + each.deleted_orphans, 0),
    kept: kept.length,
    seconds,
  };
}

/** mulberry32: small, seeded, good enough to choose by. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

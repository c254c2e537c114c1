import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { bytesBody, connectRegistry } from '../../src/client/connect.ts';
import { openStore } from '../../src/compose/open-store.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { openWorkplace } from '../cli/workplace.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';

const packages = 6;
const filesOfPackage = 200;
/** The other server looks for what was left at intervals of 30 seconds, and takes what it has seen before. */
const longestSeconds = 400;

let postgres: PostgresServer;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

it('what a server held that is killed while it settles, the other one settles', async (context) => {
  const databaseUrl = await postgres.createDatabase();
  const environment = {
    ARTIFACTSTORE_DATABASE_URL: databaseUrl,
    ARTIFACTSTORE_SMALL_OBJECT_BYTES: '65536',
    ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml',
    ARTIFACTSTORE_PORT: '0',
  };
  using place = openWorkplace(environment);
  place.write({ 'retention.toml': '[retention_classes.blink]\ndefault_duration_seconds = 1\n' });
  assert.equal((await place.run('migrate')).code, 0);
  const servers = [await place.serve('serve'), await place.serve('serve')] as const;
  const registries = servers.map(({ url }) => connectRegistry({ url, token: 'cli-test-token' }));
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const held = async () => Number((await client.query('select count(*) from held_objects')).rows[0].count);

  const kept = new Map<string, readonly string[]>();
  const fill = async (registry: Registry, name: string) => {
    for (let number = 0; number < packages; number++) {
      const { id } = (
        await registry.packages.create({ name, producer: 'p', subject: 's', retention_class: number === 0 ? 'blink' : 'transient' })
      ).record;
      const texts = Array.from({ length: filesOfPackage }, (_, index) => `${name} ${number} ${index} ${'x'.repeat(index)}`);
      await registry.files.addMany(id, filesOf(texts));
      await registry.packages.finalize(id);
      if (number > 0) kept.set(id, texts);
    }
  };
  // All of it the first one's: what is settled soon is settled by it. It may all be settled before that is seen.
  let [atMost, left, fills] = [0, 0, 0];
  while (left === 0) {
    assert.ok(fills < 5, 'everything was settled before the server was killed, each time');
    await fill(registries[0]!, `server 0 ${fills++}`);
    atMost = await held();
    left = atMost;
    while (left === atMost && left > 0) left = await held();
  }
  servers[0].process.kill('SIGKILL');
  await once(servers[0].process, 'exit');
  await sleep(100);
  const leftBehind = await held();
  context.diagnostic(`of ${atMost} held, ${left} when the server was killed, ${leftBehind} soon after`);

  await fill(registries[1]!, 'server 1');
  // Beside it, what expires is collected: keys die while they wait, or are being put.
  await using store = await openStore(readConfig(environment, { directory: place.directory }));
  const begun = performance.now();
  while ((await held()) > 0) {
    assert.ok(performance.now() - begun < longestSeconds * 1000, `${await held()} objects are still held`);
    await store.operator.sweep();
    await store.operator.collect();
    await sleep(500);
  }
  context.diagnostic(`all of it was settled after ${Math.round((performance.now() - begun) / 1000)} s`);
  await client.end();

  for (const reader of [registries[1]!, store.as('reader')])
    for (const [package_id, texts] of kept)
      for (const text of texts.filter((_, index) => index % 7 === 0)) {
        const opened = await reader.files.open({ package_id, relative_path: pathOf(text) });
        assert.equal(Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString(), text);
      }
  const { objects, failed, missing } = await store.operator.verifyStorage('local', { restart: true });
  assert.deepEqual([objects, failed, missing], [(fills + 1) * (packages - 1) * filesOfPackage, 0, 0]);
  const { backends, left_over } = await store.operator.collect();
  for (const backend of backends)
    assert.deepEqual([backend.stored_objects, backend.stored_bytes], [backend.live_objects, backend.live_bytes]);
  assert.deepEqual(left_over, []);
  assert.equal((await store.operator.verifyEvents()).ok, true);
  await Promise.all(registries.map((each) => each.close()));
  assert.equal(await servers[1].signal('SIGTERM'), 0);
  const errors = servers[1]
    .log()
    .split('\n')
    .filter((line) => /"level":(50|60)/.test(line));
  assert.deepEqual(errors, []);
});

function pathOf(text: string): string {
  return text.slice(0, 20).trim().replaceAll(' ', '-');
}

async function* filesOf(texts: readonly string[]) {
  for (const text of texts) yield { relative_path: pathOf(text), body: bytesBody(Buffer.from(text)) };
}

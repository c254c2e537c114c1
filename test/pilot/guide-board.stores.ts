import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { writeGuideBoardRun } from '../../tools/guide-board-run.ts';
import { type StandInStateHub, startStateHub } from '../../tools/state-hub.ts';
import { describeTree } from '../cli/tree.ts';
import { finished, type RunningServer, type Workplace } from '../cli/workplace.ts';
import { startPostgres } from '../postgres-server.ts';
import { contentOf } from '../stores/bucket-content.ts';
import { freePorts } from '../stores/free-ports.ts';
import { openPlace } from '../stores/place.ts';
import { type Rgw, startRgw, whyNoRgw } from '../stores/rgw.ts';
import { startProxy } from './proxy.ts';

interface Ingested extends Record<string, unknown> {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  readonly reused_existing: boolean;
}

describe('guide-board on PostgreSQL and Ceph RGW, with two servers', { skip: whyNoRgw() ?? false }, () => {
  const opened = new AsyncDisposableStack();
  let rgw: Rgw;
  let hub: StandInStateHub;
  let place: Workplace;
  let servers: readonly [RunningServer, RunningServer];
  let bucket: string;
  before(async () => {
    rgw = opened.use(await startRgw());
    // It is stopped, and comes back at the same port: one that no connection is given meanwhile.
    hub = opened.use(await startStateHub({ port: await freePorts(1) }));
    const postgres = opened.adopt(await startPostgres(), (server) => server.stop());
    bucket = await rgw.createBucket();
    const environment = {
      STATE_HUB_URL: hub.url,
      STATE_HUB_WORKSTREAM_ID: 'stream-7',
      STATE_HUB_TASK_ID: 'task-9',
      // Every file into the bucket first: a gateway that is away then stops a run.
      ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0',
    };
    place = opened.use(openPlace(rgw, bucket, { databaseUrl: await postgres.createDatabase(), environment }));
    await place.json('migrate');
    servers = [await place.serve('serve', '--port', '0'), await place.serve('serve', '--port', '0')];
  });
  after(() => opened.disposeAsync());

  const ingest = (run: string, server: RunningServer = servers[0]) =>
    place.json<Ingested>('guide-board', 'ingest', run, '--api-url', server.url);
  const packagesOf = async (run: string) =>
    (await place.json<{ items: readonly Package[] }>('packages', 'list', '--producer', 'guide-board', '--metadata', `run_id=${run}`)).items;
  const links = ({ manifest_digest: digest }: Ingested) =>
    hub.events.filter(({ detail }) => (detail as Record<string, unknown>).manifest_digest === digest);
  const newRun = (id: string, items: number): string => {
    writeGuideBoardRun(place.path(id), { runId: id, items, seed: items });
    return id;
  };

  test('a run goes in whole, is linked, and is the same again through the other server', async () => {
    const run = newRun('run-20260513T210255Z', 300);
    const ingested = await ingest(run);
    assert.deepEqual([ingested.file_count, ingested.reused_existing], [describeTree(place.path(run)).size, false]);
    assert.deepEqual(await ingest(run, servers[1]), { ...ingested, reused_existing: true });
    assert.equal(links(ingested).length, 1);
    await place.json('pull', ingested.package_id, 'pulled');
    assert.deepEqual(describeTree(place.path('pulled')), describeTree(place.path(run)));
    assert.equal((await place.json('verify', ingested.package_id)).ok, true);
    // Equal content is one object; the link's receipt is one more.
    const contents = new Set(describeTree(place.path(run)).values());
    assert.equal((await contentOf(rgw, bucket)).keys.length, contents.size + 1);
  });

  test('a run that changed is a conflict that names the files', async () => {
    const run = newRun('run-20260513T220000Z', 20);
    const first = await ingest(run);
    appendFileSync(join(place.path(run), 'mappings.json'), '\n');
    const { code, stderr } = await place.run('guide-board', 'ingest', run, '--json');
    const problem = JSON.parse(stderr);
    assert.deepEqual([code, problem.info.package_id, problem.info.changed], [4, first.package_id, ['mappings.json']]);
    assert.equal((await place.json('verify', first.package_id)).ok, true);
  });

  test('two at once, each at its own server, make one package and one link', async () => {
    const run = newRun('run-20260513T230000Z', 40);
    Object.assign(hub.ways, { canBeAsked: false, delayMilliseconds: 500 });
    try {
      const [left, right] = await Promise.all(servers.map((server) => ingest(run, server)));
      assert.deepEqual([left?.package_id, left?.manifest_digest], [right?.package_id, right?.manifest_digest]);
      assert.equal((await packagesOf(run)).length, 1);
      assert.equal(links(left!).length, 1);
    } finally {
      Object.assign(hub.ways, { canBeAsked: true, delayMilliseconds: 0 });
    }
  });

  test('one that was killed before it sealed is gone on with', async () => {
    const run = newRun('run-20260514T000000Z', 30);
    const { promise: sealing, resolve } = Promise.withResolvers<void>();
    await using proxy = await startProxy(servers[0].url, async (method, path) => {
      if (method !== 'POST' || !path.endsWith('/finalize')) return;
      resolve();
      await new Promise(() => undefined);
    });
    const child = place.start('guide-board', 'ingest', run, '--api-url', proxy.url);
    const end = finished(child);
    await sealing;
    child.kill('SIGKILL');
    await end;
    const [half] = await packagesOf(run);
    const ingested = await ingest(run, servers[1]);
    assert.deepEqual([half?.status, ingested.package_id, ingested.reused_existing], ['created', half?.id, false]);
    assert.equal((await place.json('verify', ingested.package_id, run)).ok, true);
  });

  test('a gateway that is away leaves nothing sealed, and a later try succeeds', async () => {
    const run = newRun('run-20260514T010000Z', 25);
    await rgw.stop();
    const child = place.start('guide-board', 'ingest', run);
    const end = finished(child);
    // Before that it may not have begun to listen to signals.
    while (child.exitCode === null && (await packagesOf(run)).length === 0) await sleep(100);
    await sleep(3000);
    const asked = performance.now();
    child.kill('SIGINT');
    const { code, stdout, stderr } = await end;
    assert.deepEqual([code, stdout], [130, ''], stderr);
    // It would wait for the gateway for a minute.
    assert.ok(performance.now() - asked < 45_000, `it took ${performance.now() - asked} ms to stop`);
    await rgw.restart();
    const ingested = await ingest(run);
    assert.equal((await place.json('verify', ingested.package_id, run)).ok, true);
    const statuses = (await packagesOf(run)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 'finalized').length, 1);
    assert.ok(!statuses.includes('created'), statuses.join());
  });

  test('State Hub away: sealed, exit code 7, and the link sent later', async () => {
    const run = newRun('run-20260514T020000Z', 15);
    await hub.stop();
    const { code, stdout } = await place.run('guide-board', 'ingest', run);
    await hub.start();
    assert.equal(code, 7);
    const ingested = JSON.parse(stdout) as Ingested;
    assert.equal(links(ingested).length, 0);
    await place.json('guide-board', 'link', ingested.package_id);
    await place.json('guide-board', 'link', ingested.package_id);
    assert.equal(links(ingested).length, 1);
    assert.equal((await place.json('events', 'verify')).ok, true);
  });
});

import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Package } from '../../../src/registry/REGISTRY.ts';
import { writeGuideBoardRun } from '../../../tools/guide-board-run.ts';
import { type Finished, finished } from '../../cli/workplace.ts';
import { startProxy } from '../proxy.ts';
import { ask, type Ingested, ingest, newRun, packagesOf, place, server } from './ingest-place.ts';

describe('guide-board ingest beside others, or stopped', () => {
  test('two at once make one package', async () => {
    const run = newRun(60);
    const { promise: both, resolve } = Promise.withResolvers<void>();
    let waiting = 0;
    await using proxy = await startProxy(server.url, async (method, path) => {
      if (method !== 'POST' || path !== '/packages') return;
      waiting += 1;
      if (waiting === 2) resolve();
      await both;
    });
    const results = await Promise.all([1, 2].map(() => place.run('guide-board', 'ingest', run.path, '--api-url', proxy.url)));
    assert.deepEqual(
      results.map(({ code, stderr }) => [code, stderr]),
      [
        [0, ''],
        [0, ''],
      ],
    );
    const [left, right] = results.map(({ stdout }) => JSON.parse(stdout) as Ingested);
    assert.deepEqual([left?.package_id, left?.manifest_digest], [right?.package_id, right?.manifest_digest]);
    assert.equal((await packagesOf(run.id)).length, 1);
  });

  test('one that was killed before it sealed is gone on with', async () => {
    const run = newRun();
    const killed = await killedAtSeal(run.path);
    assert.equal(killed.status, 'created');
    const ingested = await ingest(run.path);
    assert.deepEqual([ingested.package_id, ingested.reused_existing], [killed.id, false]);
    assert.equal((await packagesOf(run.id)).length, 1);
    await place.json('verify', ingested.package_id, run.path);
  });

  test('one that was killed and then changed is abandoned, and the run as it is now kept', async () => {
    const run = newRun();
    const killed = await killedAtSeal(run.path);
    appendFileSync(join(run.path, 'raw/added.log'), 'added');
    const ingested = await ingest(run.path);
    assert.notEqual(ingested.package_id, killed.id);
    assert.deepEqual(
      (await packagesOf(run.id)).map(({ id, status }) => [id, status]),
      [
        [ingested.package_id, 'finalized'],
        [killed.id, 'abandoned'],
      ],
    );
    await place.json('verify', ingested.package_id, run.path);
  });

  for (const [how, change] of [
    ['grows', 'begun and grown'],
    ['is rewritten at the same length', 'BEGUN'],
  ] as const)
    test(`a file that ${how} while it is read: nothing is sealed, and a later try succeeds`, async () => {
      const run = newRun();
      const log = join(run.path, 'raw/growing.log');
      writeFileSync(log, 'begun');
      {
        await using proxy = await startProxy(server.url, (method, path) => {
          if (method === 'POST' && path === '/packages') writeFileSync(log, change);
        });
        const { code, stdout, stderr } = await place.run('guide-board', 'ingest', run.path, '--api-url', proxy.url);
        assert.deepEqual([code, stdout], [5, '']);
        assert.match(stderr, /"raw\/growing\.log" changed while it was being (pushed|ingested)/);
        assert.match(stderr, /nothing was sealed, package [0-9a-f-]{36} is abandoned/);
      }
      assert.deepEqual(
        (await packagesOf(run.id)).map(({ status }) => status),
        ['abandoned'],
      );
      const ingested = await ingest(run.path);
      await place.json('verify', ingested.package_id, run.path);
    });

  /** Begins to ingest, and stands still before its first file until `meanwhile` is over. */
  async function overtaken(path: string, meanwhile: () => Promise<unknown>): Promise<Finished> {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: over, resolve: go } = Promise.withResolvers<void>();
    await using proxy = await startProxy(server.url, async (method, target) => {
      if (method !== 'POST' || !target.endsWith('/files')) return;
      begin();
      await over;
    });
    const end = place.run('guide-board', 'ingest', path, '--api-url', proxy.url);
    await begun;
    await meanwhile();
    go();
    return await end;
  }

  test('one that finds the run sealed by another meanwhile answers with that', async () => {
    const run = newRun();
    let other: Ingested | undefined;
    const { code, stdout } = await overtaken(run.path, async () => {
      other = await ingest(run.path);
    });
    assert.deepEqual([code, JSON.parse(stdout)], [0, { ...other, reused_existing: true }]);
    assert.equal((await packagesOf(run.id)).length, 1);
  });

  test('one whose package was abandoned for other content says what that is', async () => {
    const run = newRun();
    const other = place.path('overtaking');
    writeGuideBoardRun(other, { runId: run.id, items: 12, seed: 77 });
    const { code, stderr } = await overtaken(run.path, () => ingest(other));
    assert.equal(code, 4);
    assert.match(stderr, /is kept as package [0-9a-f-]{36}, and the directory is not the same any more: /);
    assert.deepEqual(
      (await packagesOf(run.id)).map(({ status }) => status),
      ['finalized', 'abandoned'],
    );
  });

  test('one whose package was abandoned by another that is still at work gives way', async () => {
    const run = newRun();
    const other = place.path('at-work');
    writeGuideBoardRun(other, { runId: run.id, items: 12, seed: 78 });
    const { code, stderr } = await overtaken(run.path, () => killedAtSeal(other));
    assert.equal(code, 4);
    assert.match(stderr, /Somebody else is ingesting run-\S+ with other content, as package /);
    assert.deepEqual(
      (await packagesOf(run.id)).map(({ status }) => status),
      ['created', 'abandoned'],
    );
  });

  test('a run of other content that is ingested at the same time: one wins, the other is told', async () => {
    const run = newRun();
    const other = place.path('other');
    writeGuideBoardRun(other, { runId: run.id, items: 13, seed: 99 });
    const results = await Promise.all([run.path, other].map((path) => place.run('guide-board', 'ingest', path)));
    const codes = results.map(({ code }) => code).sort();
    assert.deepEqual(codes, [0, 4], results.map(({ stderr }) => stderr).join('\n'));
    const statuses = (await packagesOf(run.id)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 'finalized').length, 1);
    assert.ok(!statuses.includes('created'), statuses.join());
  });

  /** Ingests until all files are there, and is killed when it asks to seal them. */
  async function killedAtSeal(path: string): Promise<Package> {
    const { promise: sealing, resolve } = Promise.withResolvers<string>();
    await using proxy = await startProxy(server.url, async (method, target) => {
      if (method !== 'POST' || !target.endsWith('/finalize')) return;
      resolve(target.split('/').at(-2) ?? '');
      await new Promise(() => undefined);
    });
    const child = place.start('guide-board', 'ingest', path, '--api-url', proxy.url);
    const end = finished(child);
    const id = await sealing;
    child.kill('SIGKILL');
    await end;
    return await ask<Package>(`/packages/${id}`);
  }
});

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Package } from '../../../src/registry/REGISTRY.ts';
import { writeGuideBoardRun } from '../../../tools/guide-board-run.ts';
import { type StandInStateHub, startStateHub } from '../../../tools/state-hub.ts';
import { finished, openWorkplace, type RunningServer, type Workplace } from '../../cli/workplace.ts';
import { startProxy } from '../proxy.ts';

interface Ingested extends Record<string, unknown> {
  readonly package_id: string;
  readonly manifest_digest: string;
}

describe('links in State Hub', () => {
  let hub: StandInStateHub;
  let place: Workplace;
  let server: RunningServer;
  let count = 0;
  before(async () => {
    hub = await startStateHub();
    place = openWorkplace({ STATE_HUB_URL: `${hub.url}/`, STATE_HUB_WORKSTREAM_ID: 'stream-7', STATE_HUB_TASK_ID: 'task-9' });
    server = await place.serve('serve', '--port', '0');
  });
  after(async () => {
    place[Symbol.dispose]();
    await hub[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    Object.assign(hub.ways, {
      canBeAsked: true,
      knowsKeys: false,
      answersToLose: 0,
      timesBusy: 0,
      refusal: undefined,
      delayMilliseconds: 0,
    });
  });

  function newRun(): string {
    count += 1;
    const id = `run-20260515T0000${String(count).padStart(2, '0')}Z`;
    writeGuideBoardRun(place.path(id), { runId: id, items: 10, seed: count });
    return id;
  }

  /** A run that is kept, and that State Hub was not told of. */
  async function unlinked(): Promise<Ingested> {
    const run = newRun();
    hub.ways.refusal = { status: 400, text: 'not now' };
    const { code, stdout } = await place.run('guide-board', 'ingest', run);
    hub.ways.refusal = undefined;
    assert.equal(code, 7);
    return JSON.parse(stdout);
  }

  function linksTo({ manifest_digest: digest }: Ingested): readonly Record<string, unknown>[] {
    return hub.events.filter(({ detail }) => (detail as Record<string, unknown>).manifest_digest === digest);
  }

  test('a run that is sealed is told of, by identifiers only', async () => {
    const run = newRun();
    const ingested = await place.json<Ingested>('guide-board', 'ingest', run);
    const record = await place.json<Package & Record<string, unknown>>('packages', 'show', ingested.package_id);
    assert.deepEqual(linksTo(ingested), [
      {
        event_type: 'artifact_link',
        author: 'artifact-store',
        workstream_id: 'stream-7',
        task_id: 'task-9',
        summary: `The evidence of ${run} (${record.metadata.result_status}) is kept as package ${ingested.package_id}.`,
        detail: {
          producer: 'guide-board',
          artifact_store_api_url: server.url,
          run_dir: place.path(run),
          run_id: run,
          target_profile_ref: record.metadata.target_profile_ref,
          package_id: ingested.package_id,
          manifest_digest: ingested.manifest_digest,
          retention_class: 'raw-evidence',
          counts: { files: record.file_count, evidence: record.metadata.evidence_counts, findings: record.metadata.finding_counts },
        },
      },
    ]);
    assert.ok(!JSON.stringify(linksTo(ingested)).includes('cli-test-token'));
  });

  test('neither the same run again nor `link` tells it twice, and the registry remembers even when State Hub forgets', async () => {
    const run = newRun();
    const ingested = await place.json<Ingested>('guide-board', 'ingest', run);
    await place.json('guide-board', 'ingest', run);
    const again = await place.json('guide-board', 'link', ingested.package_id);
    assert.deepEqual(again, { ...pick(ingested), reused_existing: true });
    assert.equal(linksTo(ingested).length, 1);
    hub.ways.canBeAsked = false;
    assert.equal((await place.json('guide-board', 'link', ingested.package_id)).reused_existing, true);
    assert.equal(linksTo(ingested).length, 1);
  });

  test('State Hub is unavailable: the run is kept and printed, exit code 7 and the message say what is missing, and `link` sends it', async () => {
    const run = newRun();
    await hub.stop();
    const { code, stdout, stderr } = await place.run('guide-board', 'ingest', run);
    assert.equal(code, 7);
    const ingested = JSON.parse(stdout) as Ingested;
    const { package_id: id } = ingested;
    assert.match(
      stderr,
      new RegExp(
        `^error: Package ${id} is sealed; only its link in State Hub is missing\\. State Hub at ${hub.url} can't be reached: nothing listens there\\. \\(server_unreachable\\)\nhint: send it with \`artifactstore guide-board link ${id}\`\n$`,
      ),
    );
    const [json, link] = await Promise.all([place.run('guide-board', 'ingest', run, '--json'), place.run('guide-board', 'link', id)]);
    assert.deepEqual([json.code, JSON.parse(json.stdout).reused_existing, JSON.parse(json.stderr).code], [7, true, 'server_unreachable']);
    assert.equal(link.code, 6);
    await hub.start();
    const sent = await place.run('guide-board', 'link', id);
    assert.deepEqual([sent.code, sent.stdout], [0, `linked package ${id}\n`]);
    assert.equal(linksTo(ingested).length, 1);
    await place.json('verify', id);
  });

  test('a busy State Hub is asked again', async () => {
    hub.ways.timesBusy = 2;
    const ingested = await place.json<Ingested>('guide-board', 'ingest', newRun());
    assert.equal(linksTo(ingested).length, 1);
  });

  test('an answer that was lost does not make a second link, where State Hub can be asked', async () => {
    hub.ways.answersToLose = 1;
    const ingested = await place.json<Ingested>('guide-board', 'ingest', newRun());
    assert.equal(linksTo(ingested).length, 1);
  });

  test('nor where it cannot, but knows Idempotency-Keys', async () => {
    Object.assign(hub.ways, { answersToLose: 2, canBeAsked: false, knowsKeys: true });
    const ingested = await place.json<Ingested>('guide-board', 'ingest', newRun());
    assert.equal(linksTo(ingested).length, 1);
    const keys = new Set(hub.requests.slice(-3).map(({ key }) => key));
    assert.ok(keys.has(`artifact_link:${ingested.manifest_digest}`));
  });

  test('several at once make one link, even where State Hub can neither be asked nor knows keys', async () => {
    const ingested = await unlinked();
    Object.assign(hub.ways, { canBeAsked: false, delayMilliseconds: 700 });
    // They find nothing, all of them, before one of them begins.
    const { promise: all, resolve } = Promise.withResolvers<void>();
    let waiting = 0;
    await using proxy = await startProxy(server.url, async (method, path) => {
      if (method !== 'POST' || path !== '/packages') return;
      waiting += 1;
      if (waiting === 3) resolve();
      await all;
    });
    const link = () => place.run('guide-board', 'link', ingested.package_id, '--json', '--api-url', proxy.url);
    const results = await Promise.all([link(), link(), link()]);
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0, 0],
      results.map(({ stderr }) => stderr).join(),
    );
    assert.deepEqual(results.map(({ stdout }) => JSON.parse(stdout).reused_existing).sort(), [false, true, true]);
    assert.equal(linksTo(ingested).length, 1);
  });

  test('one that looks while another has just finished finds that', async () => {
    const ingested = await unlinked();
    hub.ways.canBeAsked = false;
    const looks = Promise.withResolvers<void>();
    const sent = Promise.withResolvers<void>();
    // The last receipt, whatever became of it, as opposed to a sealed one.
    await using proxy = await startProxy(server.url, async (method, path) => {
      if (method !== 'GET' || !path.startsWith('/packages?') || path.includes('status=')) return;
      looks.resolve();
      await sent.promise;
    });
    const late = place.run('guide-board', 'link', ingested.package_id, '--json', '--api-url', proxy.url);
    await looks.promise;
    const first = await place.json('guide-board', 'link', ingested.package_id);
    sent.resolve();
    const { code, stdout } = await late;
    assert.deepEqual([code, first.reused_existing, JSON.parse(stdout).reused_existing], [0, false, true]);
    assert.equal(linksTo(ingested).length, 1);
  });

  test('a sender that was killed is waited for, and its link found', async () => {
    const ingested = await unlinked();
    hub.ways.delayMilliseconds = 1500;
    const sent = hub.requests.length;
    const child = place.start('guide-board', 'link', ingested.package_id);
    const end = finished(child);
    while (!hub.requests.slice(sent).some(({ method }) => method === 'POST')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await end;
    hub.ways.delayMilliseconds = 0;
    while (linksTo(ingested).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const again = await place.json('guide-board', 'link', ingested.package_id);
    assert.equal(again.reused_existing, true);
    assert.equal(linksTo(ingested).length, 1);
  });

  test('a State Hub that refuses is quoted, and can be told later', async () => {
    hub.ways.refusal = { status: 422, text: '{"detail":"workstream_id: not known"}' };
    const run = newRun();
    const { code, stdout, stderr } = await place.run('guide-board', 'ingest', run);
    assert.equal(code, 7);
    assert.match(stderr, /refuses the link: it answered 422 \(\{"detail":"workstream_id: not known"\}\)/);
    const refused = await place.run('guide-board', 'link', JSON.parse(stdout).package_id);
    assert.equal(refused.code, 2);
    hub.ways.refusal = undefined;
    assert.equal((await place.run('guide-board', 'ingest', run)).code, 0);
    assert.equal(linksTo(JSON.parse(stdout)).length, 1);
  });

  test('nothing is linked that is no kept run, and without a State Hub `link` says what is missing', async () => {
    place.write({ 'other/file': 'x' });
    const other = await place.json<Ingested>('push', 'other');
    const wrong = await place.run('guide-board', 'link', other.package_id);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /is no run of guide-board; its producer is "cli"/);
    assert.equal((await place.run('guide-board', 'link', '01a1feeb-36a9-7444-99ef-8d8d5bd50063')).code, 3);
    using without = openWorkplace({ STATE_HUB_URL: 'ftp://example.org', ARTIFACTSTORE_API_URL: server.url });
    const odd = await without.run('guide-board', 'ingest', place.path(newRun()));
    assert.equal(odd.code, 7);
    assert.match(odd.stderr, /STATE_HUB_URL is not an http:\/\/ or https:\/\/ address/);
    using none = openWorkplace({ ARTIFACTSTORE_API_URL: server.url });
    const { package_id: id } = await none.json<Ingested>('guide-board', 'ingest', place.path(newRun()));
    const unset = await none.run('guide-board', 'link', id);
    assert.equal(unset.code, 2);
    assert.match(unset.stderr, /STATE_HUB_URL is not set/);
  });
});

function pick({ package_id, manifest_digest }: Ingested): object {
  return { package_id, manifest_digest };
}

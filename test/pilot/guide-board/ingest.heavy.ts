import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/kernel/format/json.ts';
import type { MetadataSchema, Package, RetentionRecord } from '../../../src/registry/REGISTRY.ts';
import { writeGuideBoardRun } from '../../../tools/guide-board-run.ts';
import { describeTree } from '../../cli/tree.ts';
import { type Finished, finished, openWorkplace, type RunningServer, type Workplace } from '../../cli/workplace.ts';
import { startProxy } from '../proxy.ts';

interface Ingested {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  readonly reused_existing: boolean;
}

describe('guide-board ingest', () => {
  let place: Workplace;
  let server: RunningServer;
  let count = 0;
  before(async () => {
    place = openWorkplace({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' });
    place.write({ 'retention.toml': '[retention_classes.brief]\ndefault_duration_seconds = 1\n' });
    server = await place.serve('serve', '--port', '0');
  });
  after(() => place[Symbol.dispose]());

  /** A run of its own. */
  function newRun(items = 12): { readonly id: string; readonly path: string } {
    count += 1;
    const id = `run-20260514T0000${String(count).padStart(2, '0')}Z`;
    writeGuideBoardRun(place.path(id), { runId: id, items, seed: count });
    return { id, path: place.path(id) };
  }

  async function ingest(directory: string, ...more: readonly string[]): Promise<Ingested> {
    const { code, stdout, stderr } = await place.run('guide-board', 'ingest', directory, ...more);
    assert.deepEqual([code, stderr], [0, '']);
    return JSON.parse(stdout) as Ingested;
  }

  async function ask<T>(path: string): Promise<T> {
    return (await (await fetch(server.url + path, { headers: { authorization: 'Bearer cli-test-token' } })).json()) as T;
  }

  async function packagesOf(runId: string): Promise<readonly Package[]> {
    return (await ask<{ items: Package[] }>(`/packages?producer=guide-board&metadata.run_id=${runId}`)).items;
  }

  test('keeps the whole run, described by what its documents say', async () => {
    const run = newRun(300);
    const ingested = await ingest(run.path);
    assert.deepEqual(Object.keys(ingested), ['package_id', 'manifest_digest', 'file_count', 'reused_existing']);
    assert.equal(ingested.file_count, describeTree(run.path).size);
    assert.equal(ingested.reused_existing, false);
    const record = await ask<Package>(`/packages/${ingested.package_id}`);
    const report = JSON.parse(readFileSync(join(run.path, 'reports/assessment-package.json'), 'utf8'));
    assert.deepEqual(
      [record.producer, record.name, record.subject, record.retention_class, record.metadata_schema_slug, record.status],
      ['guide-board', run.id, report.target_profile_ref, 'raw-evidence', 'guide-board.run.v1', 'finalized'],
    );
    const { source_commits: commits, content_digest: digest, ...said } = record.metadata;
    assert.deepEqual(said, {
      run_id: run.id,
      target_profile_ref: report.target_profile_ref,
      assessment_profile_ref: report.assessment_profile_ref,
      result_status: report.result_status,
      report_paths: ['assessment-package.json', 'cmis-summary.md', 'fragments.json', 'report.md', 'submission-package.json'].map(
        (name) => `reports/${name}`,
      ),
      evidence_counts: report.evidence_counts,
      finding_counts: report.finding_counts,
      run_dir: run.path,
    });
    assert.deepEqual(Object.keys(commits as JsonObject).sort(), ['cmis-extension', 'guide-board', 'target-profiles']);
    assert.match(String(digest), /^sha256:[0-9a-f]{64}$/);
    await place.json('pull', ingested.package_id, 'pulled');
    assert.deepEqual(describeTree(place.path('pulled')), describeTree(run.path));
    const schema = await ask<MetadataSchema>('/metadata-schemas/guide-board.run.v1');
    assert.equal(schema.json_schema.$id, 'artifactstore:schemas:guide-board.run.v1');
  });

  test('takes a run that has no submission package', async () => {
    const run = newRun();
    rmSync(join(run.path, 'reports/submission-package.json'));
    const { package_id: id, file_count: count } = await ingest(run.path);
    assert.equal(count, describeTree(run.path).size);
    assert.ok(!(await ask<Package>(`/packages/${id}`)).metadata.report_paths!.toString().includes('submission'));
  });

  test('the same run again is the same package, wherever it stands and whatever class is asked for', async () => {
    const run = newRun();
    const first = await ingest(run.path, '--retention-class', 'release-evidence');
    assert.deepEqual(await ingest(run.path, '--retention-class', 'release-evidence'), { ...first, reused_existing: true });
    renameSync(run.path, place.path('moved'));
    const again = await place.run('guide-board', 'ingest', 'moved');
    assert.deepEqual([again.code, JSON.parse(again.stdout)], [0, { ...first, reused_existing: true }]);
    assert.match(again.stderr, /^note: it is kept as release-evidence, not as raw-evidence/);
    const [record, ...others] = await packagesOf(run.id);
    assert.deepEqual([record?.retention_class, others], ['release-evidence', []]);
  });

  test('a run that changed is a conflict that names the files, and changes nothing', async () => {
    const run = newRun();
    const first = await ingest(run.path);
    appendFileSync(join(run.path, 'mappings.json'), '\n');
    rmSync(join(run.path, 'reports/cmis-summary.md'));
    writeFileSync(join(run.path, 'raw/late.log'), 'late');
    const { code, stdout, stderr } = await place.run('guide-board', 'ingest', run.path, '--json');
    assert.deepEqual([code, stdout], [4, '']);
    const problem = JSON.parse(stderr);
    assert.equal(problem.code, 'idempotency_conflict');
    const { hint, ...info } = problem.info;
    assert.deepEqual(info, {
      package_id: first.package_id,
      added: ['raw/late.log'],
      removed: ['reports/cmis-summary.md'],
      changed: ['mappings.json'],
    });
    assert.match(hint, /artifactstore pull/);
    const human = await place.run('guide-board', 'ingest', run.path);
    assert.match(
      human.stderr,
      /1 added, 1 removed, 1 changed\.\n {2}added {4}raw\/late\.log\n {2}removed {2}reports\/cmis-summary\.md\n {2}changed {2}mappings\.json/,
    );
    assert.equal((await packagesOf(run.id)).length, 1);
    await place.json('verify', first.package_id);
  });

  test('a registry that lost its idempotency keys knows the run still', async () => {
    const run = newRun();
    const first = await ingest(run.path);
    const database = new DatabaseSync(place.path('var', 'artifactstore.db'), { timeout: 5000 });
    assert.ok(database.prepare('delete from idempotency_keys').run().changes > 0);
    database.close();
    assert.deepEqual(await ingest(run.path), { ...first, reused_existing: true });
    appendFileSync(join(run.path, 'mappings.json'), ' ');
    assert.equal((await place.run('guide-board', 'ingest', run.path)).code, 4);
    assert.equal((await packagesOf(run.id)).length, 1);
  });

  test('a run that was collected is kept anew', async () => {
    const run = newRun();
    const first = await ingest(run.path, '--retention-class', 'brief');
    const { expires_at: end } = await ask<RetentionRecord>(`/packages/${first.package_id}/retention`);
    await sleep(Math.max(0, Date.parse(end!) - Date.now() + 10));
    await place.json('retention', 'sweep');
    await place.json('retention', 'gc');
    const second = await ingest(run.path);
    assert.deepEqual([second.package_id === first.package_id, second.reused_existing], [false, false]);
    assert.deepEqual(
      (await packagesOf(run.id)).map(({ status }) => status),
      ['finalized', 'garbage_collected'],
    );
    await place.json('verify', second.package_id);
  });

  test('documents are kept whatever their numbers are, and sources may be by slug', async () => {
    const run = newRun();
    const evidence = join(run.path, 'evidence/cmis-tck/ev-00001.json');
    const precise = readFileSync(evidence, 'utf8').replace('"attempt": ', '"started_ns": 1778706175123456789, "attempt": ');
    assert.ok(precise.includes('1778706175123456789'));
    writeFileSync(evidence, precise);
    const lock = JSON.parse(readFileSync(join(run.path, 'sources.lock.json'), 'utf8'));
    writeFileSync(
      join(run.path, 'sources.lock.json'),
      JSON.stringify({ ...lock, sources: { a: 'b'.repeat(40), c: { commit: 'd'.repeat(40) } } }),
    );
    writeFileSync(join(run.path, 'reports/fragments.json'), '[]');
    const { package_id: id } = await ingest(run.path);
    assert.deepEqual((await ask<Package>(`/packages/${id}`)).metadata.source_commits, { a: 'b'.repeat(40), c: 'd'.repeat(40) });
  });

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

  describe('refuses, before anything is made,', () => {
    const json = (path: string, change: object) => (run: string) => {
      const value = JSON.parse(readFileSync(join(run, path), 'utf8'));
      writeFileSync(join(run, path), JSON.stringify({ ...value, ...change }));
    };
    const bad: readonly (readonly [what: string, spoil: (run: string) => void, code: number, message: RegExp])[] = [
      ['what is not there', (run) => rmSync(run, { recursive: true }), 2, /is not there/],
      [
        'a file',
        (run) => {
          rmSync(run, { recursive: true });
          writeFileSync(run, '');
        },
        2,
        /is not a directory/,
      ],
      [
        'what is no run',
        (run) => {
          rmSync(run, { recursive: true });
          mkdirSync(run);
          writeFileSync(join(run, 'a'), '');
        },
        2,
        /is not a run of guide-board: it has no sources\.lock\.json, no mappings\.json, /,
      ],
      [
        'malformed JSON, with its place',
        (run) => writeFileSync(join(run, 'mappings.json'), '{\n  "run_id": "x",\n  "mappings": [1 2]\n}\n'),
        2,
        /"mappings\.json": The JSON is malformed at line 3, column 18: /,
      ],
      [
        'sources that are none',
        (run) => writeFileSync(join(run, 'sources.lock.json'), '[]'),
        2,
        /"sources\.lock\.json" has no list of sources/,
      ],
      [
        'malformed evidence, with its place',
        (run) => writeFileSync(join(run, 'evidence/cmis-tck/ev-00001.json'), '{"id": "ev"'),
        2,
        /"evidence\/cmis-tck\/ev-00001\.json": The JSON is malformed at line 1, column 12: /,
      ],
      [
        'evidence with a result that there is not',
        json('evidence/cmis-tck/ev-00001.json', { result: 'passed' }),
        2,
        /"evidence\/cmis-tck\/ev-00001\.json" holds no evidence item: \/result must be equal to one of the allowed values \(pass, fail, /,
      ],
      [
        'evidence of another run',
        json('evidence/cmis-tck/ev-00001.json', { run_id: 'run-other' }),
        2,
        /"evidence\/cmis-tck\/ev-00001\.json" is evidence of the run "run-other", and this is "run-/,
      ],
      [
        'a run without its target profile',
        (run) => {
          for (const path of ['sources.lock.json', 'reports/assessment-package.json', 'reports/submission-package.json'])
            json(path, { target_profile_ref: undefined })(run);
        },
        2,
        /The run does not say its target_profile_ref: none of reports\/assessment-package\.json, /,
      ],
      [
        'documents that disagree',
        json('retention-summary.json', { run_id: 'run-other' }),
        2,
        /disagree on its run_id: "run-[^"]*" in reports\/assessment-package\.json, "run-other" in retention-summary\.json/,
      ],
      [
        'a run without a retention class',
        json('retention-summary.json', { retention_class: undefined }),
        2,
        /does not say its retention class[\s\S]*choose one with --retention-class/,
      ],
      ['an unknown retention class', json('retention-summary.json', { retention_class: 'eternal' }), 2, /"eternal"; there are /],
      [
        'metadata that does not match the schema',
        json('sources.lock.json', { sources: [{ slug: 'guide-board', commit: 'HEAD' }] }),
        2,
        /The metadata does not fit the schema "guide-board\.run\.v1": \/source_commits\/guide-board /,
      ],
      ['a link out of the tree', (run) => symlinkSync('/etc/hostname', join(run, 'raw/host')), 2, /"raw\/host" is a symbolic link/],
    ];
    for (const [what, spoil, code, message] of bad)
      test(what, async () => {
        const run = newRun();
        spoil(run.path);
        const result = await place.run('guide-board', 'ingest', run.path);
        assert.match(result.stderr, message);
        assert.deepEqual([result.code, result.stdout], [code, '']);
        assert.deepEqual(await packagesOf(run.id), []);
      });
  });

  test('a schema of its own, by setting; one that is not there is named', async () => {
    const run = newRun();
    using other = openWorkplace({ ARTIFACTSTORE_GUIDE_BOARD_SCHEMA: 'strict.json', ARTIFACTSTORE_API_URL: server.url });
    const missing = await other.run('guide-board', 'ingest', run.path);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /The schema "[^"]*strict\.json" is not there[\s\S]*set ARTIFACTSTORE_GUIDE_BOARD_SCHEMA/);
    other.write({ 'strict.json': JSON.stringify({ $id: 'example:schemas:strict.v1', required: ['approved_by'] }) });
    const refused = await other.run('guide-board', 'ingest', run.path);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /does not fit the schema "strict\.v1"/);
    other.write({ 'strict.json': JSON.stringify({ $id: 'example:schemas:strict.v1', required: ['run_id'] }) });
    const conflict = await other.run('guide-board', 'ingest', run.path);
    assert.equal(conflict.code, 4);
    assert.match(conflict.stderr, /another schema under the name "strict\.v1"[\s\S]*an \$id of its own/);
  });
});

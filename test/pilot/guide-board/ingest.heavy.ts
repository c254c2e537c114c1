import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/kernel/format/json.ts';
import type { MetadataSchema, Package, RetentionRecord } from '../../../src/registry/REGISTRY.ts';
import { describeTree } from '../../cli/tree.ts';
import { openWorkplace } from '../../cli/workplace.ts';
import { ask, ingest, newRun, packagesOf, place, server } from './ingest-place.ts';

describe('guide-board ingest', () => {
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

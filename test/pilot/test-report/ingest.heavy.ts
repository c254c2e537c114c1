import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../../src/registry/REGISTRY.ts';
import { openWorkplace, type Workplace } from '../../cli/workplace.ts';

/** As pytest writes it: suites in a root, times as decimals, output in CDATA. */
const pytest = `<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5" time="0.412" timestamp="2026-05-13T21:02:55.101+00:00" hostname="ci-4">
<testcase classname="tests.test_ledger" name="test_opens" time="0.101" />
<testcase classname="tests.test_ledger" name="test_posts[EUR-&lt;0&gt;]" time="0.05"><failure message="AssertionError: assert 1 == 2&#10;">def test_posts():
&gt;       assert 1 == 2</failure></testcase>
<testcase classname="tests.test_ledger" name="test_closes" time="0.2"><error message="failed on setup">E   OSError</error></testcase>
<testcase classname="tests.test_ledger" name="test_windows" time="0.000"><skipped type="pytest.skip" message="not here">tests/test_ledger.py:31: not here</skipped></testcase>
<testcase classname="tests.test_ledger" name="test_prints" time="0.061"><system-out><![CDATA[<not> a tag & no entity]]></system-out></testcase>
</testsuite></testsuites>
`;

/** As Surefire does: one suite a file, as the root. */
const surefire = `<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0" name="org.example.LedgerTest" time="1,234.5" tests="2" errors="0" skipped="0" failures="0">
  <properties><property name="java.version" value="21.0.3"/></properties>
  <testcase name="opens" classname="org.example.LedgerTest" time="1,234.25"/>
  <testcase name="closes" classname="org.example.LedgerTest" time="0.25"/>
</testsuite>
`;

const cobertura = `<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.5" timestamp="1778706175" lines-valid="420" lines-covered="399" line-rate="0.95" branch-rate="0" complexity="0">
  <packages><package name="ledger" line-rate="0.95"><classes><class name="post.py" filename="ledger/post.py"><lines><line number="1" hits="1"/></lines></class></classes></package></packages>
</coverage>
`;

const lcov = 'TN:\nSF:src/post.ts\nDA:1,4\nLF:30\nLH:27\nend_of_record\nSF:src/open.ts\nLF:12\nLH:12\nend_of_record\n';

describe('test-report ingest', () => {
  let place: Workplace;
  before(async () => {
    place = openWorkplace();
    await place.serve('serve', '--port', '0');
  });
  after(() => place[Symbol.dispose]());

  test('keeps a directory of reports, described by its cases and its coverage, once for each build', async () => {
    place.write({
      'reports/junit.xml': pytest,
      'reports/surefire/TEST-org.example.LedgerTest.xml': surefire,
      'reports/coverage.xml': cobertura,
      'reports/lcov.info': lcov,
      'reports/html/index.html': '<!doctype html><p>95 %',
    });
    const ingested = await place.json<{ package_id: string; reused_existing: boolean }>(
      'test-report',
      'ingest',
      'reports',
      '--build',
      'job-4711',
      '--subject',
      'ledger',
    );
    const record = await place.json<Package & Record<string, unknown>>('packages', 'show', ingested.package_id);
    assert.deepEqual(
      [record.producer, record.subject, record.retention_class, record.metadata_schema_slug, record.file_count],
      ['test-report', 'ledger', 'raw-evidence', 'test-report.v1', 5],
    );
    const { content_digest: digest, ...said } = record.metadata;
    assert.match(String(digest), /^sha256:/);
    assert.deepEqual(said, {
      build: 'job-4711',
      result_status: 'failed',
      cases: { total: 7, passed: 4, failed: 1, errors: 1, skipped: 1, seconds: 1234.912 },
      report_paths: ['reports/junit.xml', 'reports/surefire/TEST-org.example.LedgerTest.xml'].map((path) => path.slice('reports/'.length)),
      coverage: { path: 'coverage.xml', lines: 420, covered: 399 },
    });
    const again = await place.json('test-report', 'ingest', 'reports', '--build', 'job-4711');
    assert.deepEqual(again, { ...ingested, reused_existing: true });
    place.write({ 'reports/junit.xml': pytest.replace('test_opens', 'test_begins') });
    const changed = await place.run('test-report', 'ingest', 'reports', '--build', 'job-4711');
    assert.equal(changed.code, 4);
    assert.match(changed.stderr, / {2}changed {2}junit\.xml/);
    assert.equal((await place.json('test-report', 'ingest', 'reports', '--build', 'job-4712')).reused_existing, false);
    await place.json('verify', ingested.package_id);
  });

  test('coverage that is in lcov.info only, and none', async () => {
    place.write({ 'lcov/junit.xml': surefire, 'lcov/coverage/lcov.info': lcov, 'bare/junit.xml': surefire });
    for (const [name, coverage] of [
      ['lcov', { path: 'coverage/lcov.info', lines: 42, covered: 39 }],
      ['bare', null],
    ] as const) {
      const { package_id: id } = await place.json<{ package_id: string }>('test-report', 'ingest', name, '--build', name);
      const { metadata } = await place.json<Package & Record<string, unknown>>('packages', 'show', id);
      assert.deepEqual([metadata.result_status, metadata.coverage], ['passed', coverage]);
    }
  });

  test('refuses malformed XML with its place, and a directory without a report', async () => {
    place.write({ 'torn/junit.xml': surefire.slice(0, -20), 'none/other.xml': '<project/>' });
    const torn = await place.run('test-report', 'ingest', 'torn', '--build', 'torn');
    assert.equal(torn.code, 2);
    assert.match(torn.stderr, /"junit\.xml": The XML is malformed at line \d+, column \d+: /);
    const none = await place.run('test-report', 'ingest', 'none', '--build', 'none');
    assert.equal(none.code, 2);
    assert.match(none.stderr, /There is no JUnit XML below/);
    assert.deepEqual((await place.json<{ items: unknown[] }>('packages', 'list', '--metadata', 'build=torn')).items, []);
  });
});

import type { JsonObject } from 'artifactstore';
import { type Scan, scan } from '../ingest/scan.ts';
import type { Work } from '../tools.ts';
import { countLcov, type Lines, linesOfCobertura } from './coverage.ts';
import { countCases, noCases } from './junit.ts';
import { parseXml } from './xml.ts';

/** A directory of test results, and what the schema `test-report.v1` asks for. */
export interface TestReport {
  readonly scanned: Scan;
  readonly metadata: JsonObject;
}

export async function readTestReport(work: Work, directory: string): Promise<TestReport> {
  const { library } = work.tools;
  const cases = noCases();
  const reports: string[] = [];
  const coverage: (Lines & { readonly path: string })[] = [];
  const scanned = await scan(work, directory, async (path, bytes) => {
    if (path.endsWith('.xml')) {
      const { name, root } = parseXml(library, path, await bytes());
      if (name === 'testsuites' || name === 'testsuite') {
        countCases(root, cases);
        reports.push(path);
      } else if (name === 'coverage') coverage.push({ path, ...linesOfCobertura(root) });
    } else if (/(^|\/)lcov\.info$/.test(path)) coverage.push({ path, ...countLcov(Buffer.from(await bytes()).toString('utf8')) });
  });
  if (reports.length === 0)
    throw new library.ArtifactstoreError(
      'invalid_path',
      `There is no JUnit XML below "${directory}": no file's root is <testsuites> or <testsuite>.`,
      {
        field: 'dir',
      },
    );
  // Several formats of the same coverage are common: the first by path counts.
  const [first] = coverage;
  return {
    scanned,
    metadata: {
      result_status: cases.failed + cases.errors > 0 ? 'failed' : 'passed',
      cases: { ...cases, seconds: Math.round(cases.seconds * 1000) / 1000 },
      report_paths: reports,
      coverage: first === undefined ? null : { path: first.path, lines: first.lines, covered: first.covered },
    },
  };
}

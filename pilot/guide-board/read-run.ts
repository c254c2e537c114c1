import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from 'artifactstore';
import { isObject, parseDocument } from '../ingest/document.ts';
import { type Scan, scan } from '../ingest/scan.ts';
import type { Library, Work } from '../tools.ts';
import { createEvidence, type Evidence } from './evidence.ts';

/** A run of guide-board, read whole: its files, and what its own documents say of it. */
export interface Run {
  readonly scanned: Scan;
  readonly runId: string;
  readonly targetProfileRef: string;
  readonly retentionClass: string | undefined;
  /** What the schema `guide-board.run.v1` asks for. */
  readonly metadata: JsonObject;
}

const assessment = 'reports/assessment-package.json';
const sourcesLock = 'sources.lock.json';
const retentionSummary = 'retention-summary.json';

/**
 * Every run has these; `reports/cmis-summary.md`, `reports/submission-package.json`, evidence and raw outputs come as
 * they are.
 */
const requiredFiles = [
  sourcesLock,
  'mappings.json',
  retentionSummary,
  'reports/report.md',
  'reports/fragments.json',
  assessment,
  'exports/export-manifest.json',
];

/** Where a fact of the run is looked for; the documents that have it must agree. */
const documents = [
  assessment,
  'reports/submission-package.json',
  sourcesLock,
  retentionSummary,
  'mappings.json',
  'exports/export-manifest.json',
];

/** Reads a run directory and checks it: every JSON document, every evidence item, and that they belong to one run. */
export async function readRun(work: Work, directory: string): Promise<Run> {
  const { library } = work.tools;
  const isDirectory = statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  const absent = requiredFiles.filter((path) => !existsSync(join(directory, path)));
  if (isDirectory && absent.length > 0)
    throw new library.ArtifactstoreError('invalid_path', `"${directory}" is not a run of guide-board: it has no ${absent.join(', no ')}.`, {
      field: 'run-dir',
      info: { missing: absent },
    });

  const parsed = new Map<string, JsonObject>();
  const evidence = createEvidence(library);
  const scanned = await scan(work, directory, async (path, bytes) => {
    if (!path.endsWith('.json') || path.startsWith('raw/')) return;
    const value = parseDocument(library, path, await bytes());
    if (path.startsWith('evidence/')) evidence.add(path, value);
    else if (documents.includes(path) && isObject(value)) parsed.set(path, value);
  });

  const facts = readFacts(library, parsed);
  const runId = facts('run_id');
  evidence.checkRun(runId);
  const targetProfileRef = facts('target_profile_ref');
  return {
    scanned,
    runId,
    targetProfileRef,
    retentionClass: text(parsed.get(retentionSummary)?.retention_class),
    metadata: {
      run_id: runId,
      target_profile_ref: targetProfileRef,
      assessment_profile_ref: facts('assessment_profile_ref'),
      result_status: facts('result_status'),
      source_commits: sourceCommits(library, parsed.get(sourcesLock) ?? {}),
      report_paths: scanned.files.map(({ relativePath }) => relativePath as string).filter((path) => path.startsWith('reports/')),
      evidence_counts: evidenceCounts(work, evidence, parsed.get(assessment)?.evidence_counts),
      finding_counts: findingCounts(library, parsed.get(assessment) ?? {}),
    },
  };
}

function readFacts(library: Library, parsed: ReadonlyMap<string, JsonObject>): (key: string) => string {
  return (key) => {
    const said = documents.flatMap((path) => {
      const value = text(parsed.get(path)?.[key]);
      return value === undefined ? [] : [{ path, value }];
    });
    const [first] = said;
    if (first === undefined)
      throw new library.ArtifactstoreError('invalid_value', `The run does not say its ${key}: none of ${documents.join(', ')} has it.`, {
        field: key,
      });
    const other = said.find(({ value }) => value !== first.value);
    if (other !== undefined)
      throw new library.ArtifactstoreError(
        'invalid_value',
        `The run's documents disagree on its ${key}: "${first.value}" in ${first.path}, "${other.value}" in ${other.path}.`,
        { field: key },
      );
    return first.value;
  };
}

/** `sources` is a list of `{slug, commit}`, or has them by slug. */
function sourceCommits(library: Library, { sources }: JsonObject): JsonObject {
  const listed = isObject(sources)
    ? Object.entries(sources).map(([slug, source]) => (isObject(source) ? { slug, ...source } : { slug, commit: source }))
    : sources;
  if (!Array.isArray(listed))
    throw new library.ArtifactstoreError('invalid_value', `"${sourcesLock}" has no list of sources.`, { field: `${sourcesLock}#/sources` });
  return Object.fromEntries(
    (listed as readonly JsonValue[]).map((source, index) => {
      const slug = isObject(source) ? text(source.slug) : undefined;
      const commit = isObject(source) ? text(source.commit) : undefined;
      if (slug !== undefined && commit !== undefined) return [slug, commit];
      throw new library.ArtifactstoreError(
        'invalid_value',
        `A source in "${sourcesLock}" has no ${slug === undefined ? 'slug' : 'commit'}.`,
        {
          field: `${sourcesLock}#/sources/${index}`,
        },
      );
    }),
  );
}

/** As the items say; a report that counts otherwise is worth a warning. */
function evidenceCounts({ context }: Work, evidence: Evidence, reported: JsonValue | undefined): JsonObject {
  const counts = evidence.counts();
  if (isObject(reported))
    for (const result of new Set([...Object.keys(counts), ...Object.keys(reported)]))
      if ((counts[result] ?? 0) !== (reported[result] ?? 0))
        context.output.note(
          `warning: ${assessment} counts ${String(reported[result] ?? 0)} evidence ` +
            `items with the result ${result}, and there are ${counts[result] ?? 0}`,
        );
  return counts;
}

/** As the assessment says, or else its findings by severity. */
function findingCounts(library: Library, report: JsonObject): JsonObject {
  const { finding_counts: counts, findings } = report;
  if (isObject(counts)) return counts;
  if (!Array.isArray(findings))
    throw new library.ArtifactstoreError('invalid_value', `"${assessment}" has neither finding_counts nor findings.`, {
      field: `${assessment}#/finding_counts`,
    });
  const counted: Record<string, number> = {};
  for (const finding of findings as readonly JsonValue[]) {
    const severity = (isObject(finding) ? text(finding.severity) : undefined) ?? 'unknown';
    counted[severity] = (counted[severity] ?? 0) + 1;
  }
  return counted;
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Writes a made-up run of guide-board: the same bytes for the same options, of any size.
 * `node tools/guide-board-run.ts <dir> [--items 300] [--seed 1] [--run-id run-20260513T210255Z]`
 */
export interface RunOptions {
  readonly items?: number;
  readonly seed?: number;
  readonly runId?: string;
}

/** Answers how many files the run has. */
export function writeGuideBoardRun(directory: string, { items = 300, seed = 1, runId = 'run-20260513T210255Z' }: RunOptions = {}): number {
  const random = generator(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const written = new Map<string, string>();
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    written.set(path, content);
  };
  const writeJson = (path: string, value: unknown): void => write(path, `${JSON.stringify(value, null, 2)}\n`);
  const started = startOf(runId);
  const profiles = { target_profile_ref: 'target:document-service-7.4', assessment_profile_ref: 'assessment:cmis-1.1-baseline' };

  writeJson('sources.lock.json', {
    run_id: runId,
    locked_at: time(started),
    ...profiles,
    sources: ['guide-board', 'cmis-extension', 'target-profiles'].map((slug) => ({
      slug,
      url: `https://git.example.org/${slug}.git`,
      ref: 'refs/heads/main',
      commit: createHash('sha1').update(`${slug} ${seed}`).digest('hex'),
    })),
  });

  const evidence = Array.from({ length: items }, (_, index) => {
    const check = checks[index % checks.length]!;
    const id = `ev-${String(index + 1).padStart(5, '0')}`;
    const result = random() < 0.72 ? 'pass' : pick(results);
    const from = started + index * 1500 + Math.floor(random() * 900);
    const took = 20 + Math.floor(random() * 1200);
    const raw = `raw/${check.extension_id}/${id}.${result === 'infrastructure_error' ? 'log' : 'json'}`;
    if (raw.endsWith('.log')) write(raw, transcript(check.check_id, random));
    else writeJson(raw, { request: exchange(check.check_id, index), status: result === 'fail' ? 500 : 200, duration_ms: took });
    const item = {
      id,
      run_id: runId,
      extension_id: check.extension_id,
      check_id: check.check_id,
      subject_ref: `repository:default/${check.check_id.split('.')[0]}/${index % 17}`,
      result,
      observations: result === 'pass' ? [] : [`${check.check_id}: ${phrases[result] ?? 'see the harness output'}`],
      facts: { duration_ms: took, attempt: 1 + Math.floor(random() * 3), 'repository.vendor': 'Beispiel GmbH – Köln' },
      requirement_refs: check.requirements,
      artifact_refs: [raw],
      started_at: time(from),
      completed_at: time(from + took),
    };
    writeJson(`evidence/${check.extension_id}/${id}.json`, item);
    return item;
  });

  writeJson('mappings.json', {
    run_id: runId,
    mappings: [...new Set(checks.flatMap(({ requirements }) => requirements))].map((requirement) => ({
      requirement_ref: requirement,
      check_ids: checks.filter(({ requirements }) => requirements.includes(requirement)).map(({ check_id }) => check_id),
    })),
  });
  writeJson('retention-summary.json', { run_id: runId, retention_class: 'raw-evidence', reason: 'a run of the nightly assessment' });

  const findings = evidence
    .filter(({ result }) => ['fail', 'warning', 'blocked'].includes(result))
    .map((item, index) => ({
      id: `finding-${index + 1}`,
      severity: item.result === 'warning' ? 'low' : pick(['medium', 'high', 'critical']),
      title: `${item.check_id} ended with ${item.result}`,
      evidence_refs: [item.id],
    }));
  const counts = { evidence_counts: countBy(evidence, 'result'), finding_counts: countBy(findings, 'severity') };
  const resultStatus = findings.some(({ severity }) => severity !== 'low') ? 'failed' : 'passed';
  writeJson('reports/assessment-package.json', { run_id: runId, ...profiles, result_status: resultStatus, ...counts, findings });
  writeJson('reports/fragments.json', {
    run_id: runId,
    fragments: findings.map(({ id, title }) => ({ id, heading: title, body: `${title}. See the evidence.` })),
  });
  writeJson('reports/submission-package.json', { run_id: runId, ...profiles, result_status: resultStatus, attachments: ['report.md'] });
  write('reports/report.md', report(runId, resultStatus, counts, findings));
  write('reports/cmis-summary.md', `# CMIS summary of ${runId}\n\n${checks.map(({ check_id }) => `- ${check_id}\n`).join('')}`);
  writeJson('exports/export-manifest.json', {
    run_id: runId,
    files: [...written].map(([path, content]) => ({ path, size_bytes: Buffer.byteLength(content), sha256: sha256(content) })),
  });
  return written.size;
}

const checks = [
  { extension_id: 'cmis-tck', check_id: 'repository.info', requirements: ['cmis-1.1:2.2.2'] },
  { extension_id: 'cmis-tck', check_id: 'types.definitions', requirements: ['cmis-1.1:2.1.3', 'cmis-1.1:2.2.2'] },
  { extension_id: 'cmis-tck', check_id: 'navigation.children', requirements: ['cmis-1.1:2.2.3'] },
  { extension_id: 'cmis-tck', check_id: 'object.create-document', requirements: ['cmis-1.1:2.2.4'] },
  { extension_id: 'cmis-tck', check_id: 'versioning.check-out', requirements: ['cmis-1.1:2.2.7'] },
  { extension_id: 'query-probe', check_id: 'query.full-text', requirements: ['cmis-1.1:2.1.14', 'cmis-1.1:2.2.6'] },
  { extension_id: 'query-probe', check_id: 'query.paging', requirements: ['cmis-1.1:2.2.6'] },
  { extension_id: 'policy-review', check_id: 'acl.inheritance', requirements: ['cmis-1.1:2.1.12'] },
];

const results = [
  'fail',
  'warning',
  'manual',
  'not_applicable',
  'skipped',
  'expected_gap',
  'waiver_applied',
  'unsupported_by_design',
  'infrastructure_error',
  'blocked',
  'unknown',
] as const;

const phrases: Readonly<Record<string, string>> = {
  fail: 'the answer is not what the specification says',
  warning: 'the answer is legal and unusual',
  manual: 'a person must look at this',
  infrastructure_error: 'the connection was reset before an answer came',
  blocked: 'an earlier check that this one needs has failed',
};

function exchange(check: string, index: number): unknown {
  return {
    method: 'GET',
    path: `/cmis/browser/default?cmisselector=${check.split('.')[1]}&skip=${index}`,
    headers: { accept: 'application/json' },
  };
}

function transcript(check: string, random: () => number): string {
  const lines = Array.from(
    { length: 20 + Math.floor(random() * 60) },
    (_, line) => `[${line}] ${check} worker=${Math.floor(random() * 8)} waiting`,
  );
  return `${lines.join('\n')}\n[end] connection reset by peer\n`;
}

function report(
  runId: string,
  status: string,
  counts: object,
  findings: readonly { readonly id: string; readonly title: string }[],
): string {
  const list = findings.map(({ id, title }) => `- **${id}** ${title}\n`).join('');
  return `# Assessment ${runId}\n\nResult: ${status}.\n\n\`\`\`json\n${JSON.stringify(counts, null, 2)}\n\`\`\`\n\n## Findings\n\n${list}`;
}

function countBy<K extends string>(items: readonly Readonly<Record<K, string>>[], key: K): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[item[key]] = (counts[item[key]] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort());
}

/** `run-20260513T210255Z` began at that time; another id at a fixed one. */
function startOf(runId: string): number {
  const match = /^run-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(runId)?.slice(1);
  const parts = match ?? ['2026', '05', '13', '21', '02', '55'];
  return Date.UTC(Number(parts[0]), Number(parts[1]) - 1, Number(parts[2]), Number(parts[3]), Number(parts[4]), Number(parts[5]));
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { items: { type: 'string' }, seed: { type: 'string' }, 'run-id': { type: 'string' } },
  });
  const [directory] = positionals;
  if (directory === undefined) throw new Error('usage: guide-board-run.ts <dir> [--items n] [--seed n] [--run-id id]');
  const count = writeGuideBoardRun(directory, {
    ...(values.items === undefined ? {} : { items: Number(values.items) }),
    ...(values.seed === undefined ? {} : { seed: Number(values.seed) }),
    ...(values['run-id'] === undefined ? {} : { runId: values['run-id'] }),
  });
  console.log(`${directory}: ${count} files`);
}

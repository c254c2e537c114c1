import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvidenceIndex } from '../../src/cli/smoke/evidence-index.ts';
import type { Workplace } from '../cli/workplace.ts';

export interface Smoke {
  readonly code: number | null;
  readonly index: EvidenceIndex & { readonly evidence: string };
  readonly results: readonly string[];
  /** The index as a page. */
  readonly page: string;
}

/** What `smoke` finds with the settings of the folder, of which the secret is in nothing that it prints. */
export async function smokeAt(place: Workplace, secret: string): Promise<Smoke> {
  const { code, stdout, stderr } = await place.run('smoke', '--settings', 'artifacts.env', '--evidence', 'evidence', '--json');
  for (const text of [stdout, stderr]) assert.equal(text.includes(secret), false);
  assert.ok(stdout.startsWith('{'), stderr);
  const index = JSON.parse(stdout) as Smoke['index'];
  const page = readFileSync(join(index.evidence, 'index.md'), 'utf8');
  return { code, index, page, results: index.steps.map(({ step, result }) => `${step} ${result}`) };
}

export const allPassed: readonly string[] = ['bucket passed', 'probe passed', 'posture not_run', 'scan passed'];

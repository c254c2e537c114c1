import type { StorePlace } from '../../certify/shape/reports.ts';
import type { StepResult } from './steps.ts';

/** What a run found, and which files show it. It has no value of a secret. */
export interface EvidenceIndex {
  readonly ok: boolean;
  readonly version: string;
  readonly started_at: string;
  readonly seconds: number;
  readonly store: { readonly endpoint: string; readonly region: string; readonly bucket: string };
  readonly shape: string;
  readonly steps: readonly Omit<StepResult, 'exit_code'>[];
}

export function indexOf(
  steps: readonly StepResult[],
  {
    place: { endpointUrl, region, bucket },
    ...facts
  }: Pick<EvidenceIndex, 'version' | 'started_at' | 'seconds' | 'shape'> & { readonly place: StorePlace },
): EvidenceIndex {
  return {
    ok: steps.every(({ result }) => result !== 'failed'),
    ...facts,
    store: { endpoint: endpointUrl, region, bucket },
    steps: steps.map(({ exit_code: _, ...step }) => step),
  };
}

/** The same as a page. */
export function indexPage({ ok, version, started_at, seconds, store, shape, steps }: EvidenceIndex): string {
  const rows = steps.map(({ step, result, summary, remedy, evidence }) => [
    step,
    words[result],
    [summary, remedy === null ? '' : `Do this: ${remedy}`].filter((text) => text !== '').join('. '),
    evidence === null ? '' : `[${evidence.file}](${evidence.file})`,
    evidence === null ? '' : `\`${evidence.sha256}\``,
  ]);
  const table = [['step', 'result', 'what was found', 'evidence', 'SHA-256'], ['---', '---', '---', '---', '---'], ...rows];
  return [
    `# Smoke of bucket \`${store.bucket}\` at ${store.endpoint}: ${ok ? 'passed' : 'failed'}`,
    '',
    `${started_at}, ${seconds} s, artifactstore ${version}; region \`${store.region}\`, shape \`${shape}\`.`,
    '',
    ...table.map((cells) => `| ${cells.map(cell).join(' | ')} |`),
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}

const words = { passed: 'passed', failed: '**failed**', not_run: 'not run' } as const;

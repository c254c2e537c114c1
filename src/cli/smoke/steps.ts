import { isArtifactstoreError } from '../../kernel/error.ts';
import { exitCode, exitCodeOf } from '../exit.ts';
import { hintFor } from '../terminal/hint.ts';
import type { EvidenceFile, EvidenceFolder } from './evidence.ts';

export const stepNames = ['bucket', 'probe', 'posture', 'scan'] as const;
export type StepName = (typeof stepNames)[number];

/** What came of one step. */
export interface StepResult {
  readonly step: StepName;
  readonly result: 'passed' | 'failed' | 'not_run';
  /** In one line, without a value of a secret. */
  readonly summary: string;
  /** What to do where it did not pass. */
  readonly remedy: string | null;
  readonly evidence: EvidenceFile | null;
  /** What the command ends with on account of this step. */
  readonly exit_code: number;
}

export interface StepFinding {
  readonly ok: boolean;
  readonly summary: string;
  readonly remedy?: string;
  /** What is written down, as JSON. */
  readonly report: unknown;
  /** 1 by default. */
  readonly exitCode?: number;
}

/** Works, and writes down what was found or why nothing was. Only what was cancelled is thrown. */
export async function runStep(step: StepName, folder: EvidenceFolder, work: () => Promise<StepFinding>): Promise<StepResult> {
  const file = `${step}.json`;
  try {
    const { ok, summary, remedy, report, exitCode: code = exitCode.failed } = await work();
    const evidence = await folder.writeJson(file, report);
    return {
      step,
      result: ok ? 'passed' : 'failed',
      summary,
      remedy: ok ? null : (remedy ?? null),
      evidence,
      exit_code: ok ? exitCode.done : code,
    };
  } catch (error) {
    if (!isArtifactstoreError(error) || error.code === 'cancelled') throw error;
    const remedy = hintFor(error) ?? (error.code === 'storage_unavailable' ? afterStart : null);
    const evidence = await folder.writeJson(file, { code: error.code, detail: error.message, remedy });
    return {
      step,
      result: 'failed',
      summary: `${onOneLine(error.message)} (${error.code})`,
      remedy,
      evidence,
      exit_code: exitCodeOf(error),
    };
  }
}

function onOneLine(message: string): string {
  return message.replaceAll(/:\n\s*/g, ': ').replaceAll(/\.?\n\s*/g, '; ');
}

const afterStart = 'start the store, or correct the setting that is named, and run this again';

export function notRun(step: StepName, summary: string): StepResult {
  return { step, result: 'not_run', summary, remedy: null, evidence: null, exit_code: exitCode.done };
}

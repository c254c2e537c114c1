import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import { damaged, document, documentNames, parsed } from '../documents.ts';
import { writerOf } from '../writer.ts';

/** What happened in the rotations of one store, in order; the last ones. Never a value. */
export interface Step {
  readonly at: string;
  readonly generation: number;
  readonly step: StepName;
  readonly role?: string;
  /** Of minted keys: what ends them. */
  readonly ids?: readonly string[];
  readonly label?: string;
  /** The generation before, which is ended last. */
  readonly previous?: number;
  readonly bucket?: string;
  readonly prefix?: string;
  /** When the old generation may end. */
  readonly until?: string;
  readonly told?: string;
}

export const stepNames = [
  'planned',
  'resumed',
  'minting',
  'minted',
  'proved',
  'persisted',
  'flipped',
  'draining',
  'revoked',
  'done',
  'failed',
] as const;
export type StepName = (typeof stepNames)[number];

export interface StepLog {
  readonly steps: readonly Step[];
  /**
   * Adds one, durably, if nobody else has added any since: `rotation_conflict` otherwise. So a rotation that somebody
   * took over stops at its next step.
   */
  add(step: Omit<Step, 'at'>): Promise<void>;
}

export async function openStepLog(secrets: Secrets, now: () => number): Promise<StepLog> {
  const found = await secrets.get(documentNames.steps);
  let version = found?.version;
  let steps = found === undefined ? [] : readSteps(parsed(found.value, documentNames.steps));
  return {
    get steps() {
      return steps;
    },
    async add(step) {
      const next = [...steps, { at: new Date(now()).toISOString(), ...step }].slice(-mostSteps);
      const fields: JsonObject = { steps: next.map((each) => ({ ...each }) as JsonObject) };
      version = await writerOf(secrets).put(documentNames.steps, document(fields), version).catch(lostTurn);
      steps = next;
    },
  };
}

function lostTurn(error: unknown): never {
  if (!isArtifactstoreError(error, 'secret_conflict')) throw error;
  takenOver(error);
}

/** Errors: `rotation_conflict`. */
export function takenOver(cause?: unknown): never {
  throw new ArtifactstoreError(
    'rotation_conflict',
    'Another rotation or a revocation has written to the same store since: this one stops.',
    {
      field: documentNames.steps,
      info: { hint: 'run `artifactstore provider status`; let one rotation run at a time' },
      cause,
    },
  );
}

function readSteps({ steps }: JsonObject): Step[] {
  if (!Array.isArray(steps)) throw damaged(documentNames.steps);
  return steps.map((each: JsonValue) => {
    const name = isJsonObject(each) ? stepNames.find((one) => one === each.step) : undefined;
    if (!isJsonObject(each) || name === undefined || typeof each.generation !== 'number' || typeof each.at !== 'string')
      throw damaged(documentNames.steps);
    const texts = Object.fromEntries(
      (['role', 'label', 'bucket', 'prefix', 'until', 'told'] as const).flatMap((key) => {
        const value = each[key];
        return typeof value === 'string' ? [[key, value]] : [];
      }),
    );
    const ids = Array.isArray(each.ids) ? each.ids.filter((id): id is string => typeof id === 'string') : undefined;
    return {
      at: each.at,
      generation: each.generation,
      step: name,
      ...texts,
      ...(ids === undefined ? {} : { ids }),
      ...(typeof each.previous === 'number' ? { previous: each.previous } : {}),
    };
  });
}

/** A rotation has some fifteen; a document of 64 KiB holds many more than this. */
const mostSteps = 120;

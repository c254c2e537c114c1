import type { ArtifactstoreError } from '../../../src/kernel/error.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import type { RotateRequest } from '../../../src/provider/rotation/run.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import type { StepName } from '../../../src/provider/rotation/steps.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import type { Secret } from '../../../src/secrets/secret.ts';
import type { RotationPlace } from './rotation-place.ts';

/** Leaves a rotation behind that has done everything up to this step, as one does that is killed there. */
export async function killedBehind(place: RotationPlace, step: StepName, more: Partial<RotateRequest> = {}): Promise<void> {
  const { promise: killed, resolve } = Promise.withResolvers<'killed'>();
  const asked = place.request({
    ...more,
    onStep(told) {
      if (told.step !== step) return;
      resolve('killed');
      return new Promise<never>(() => undefined);
    },
  });
  if ((await Promise.race([killed, rotate(asked)])) !== 'killed') throw new Error(`no step ${step}`);
  await asked.provider.close();
}

/** What a person writes who looks at nothing else. */
export async function writeByHand({ secrets }: Pick<RotationPlace, 'secrets'>, name: string, value: Secret): Promise<void> {
  await secrets.writer!.put(name, value, (await secrets.get(name))?.version);
}

/** The store, where something happens once, behind the first write under a name. */
export function withMeanwhile(secrets: Secrets, behindPut: Readonly<Record<string, () => Promise<unknown>>>): Secrets {
  const writer = secrets.writer!;
  const over = new Set<string>();
  return {
    ...secrets,
    writer: {
      ...writer,
      async put(name, value, expected) {
        const version = await writer.put(name, value, expected);
        if (!over.has(name)) {
          over.add(name);
          await behindPut[name]?.();
        }
        return version;
      },
    },
  };
}

/** The store that has lost one document, and keeps none under its name. */
export function without(secrets: Secrets, lost: string): Secrets {
  const writer = secrets.writer!;
  return {
    ...secrets,
    get: async (name) => (name === lost ? undefined : await secrets.get(name)),
    writer: {
      ...writer,
      put: async (name, value, expected) => (name === lost ? 'none' : await writer.put(name, value, expected)),
    },
  };
}

/** Of keys that the error says were not ended. */
export function idsIn(error: ArtifactstoreError): string[] {
  const { ids } = error.info ?? {};
  if (!Array.isArray(ids)) throw error;
  return ids.map(String);
}

/** `generation step`, and what was told, in order. */
export async function stepsOf({ secrets }: Pick<RotationPlace, 'secrets'>): Promise<readonly string[]> {
  const { steps } = await providerStatus(secrets);
  return steps.map(({ generation, step, told }) => `${generation} ${step}${told === undefined ? '' : `: ${told}`}`);
}

/** The generation that servers are pointed to, that a run did not end, and what there is of each. */
export async function stateOf({ secrets }: Pick<RotationPlace, 'secrets'>): Promise<string> {
  const { current, unfinished, generations } = await providerStatus(secrets);
  const each = generations.map(({ generation, state }) => `${generation} ${state}`);
  return [`current ${current}`, `unfinished ${unfinished}`, ...each].join(', ');
}

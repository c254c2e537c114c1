import { documentNames } from '../documents.ts';
import type { RotationPlan } from '../reports.ts';
import { writerOf } from '../writer.ts';
import { chooseAuthority, loadPair } from './authority.ts';
import { beginOf, currentOf, issuerOf, overlapOf, type RotateRequest, requireBucket, requireNarrowEnough, whereOf } from './run.ts';
import { openStepLog } from './steps.ts';

export async function planRotation(request: RotateRequest): Promise<RotationPlan> {
  const { provider, secrets, now, patience } = request;
  issuerOf(provider);
  const log = await openStepLog(secrets, now);
  const current = await currentOf(secrets);
  const { generation, previous, scope, isResumed, abandoned } = await beginOf(request, log.steps, current);
  requireNarrowEnough(provider, scope);
  const { slot, authority } = await chooseAuthority(await loadPair(secrets), provider, scope.bucket, patience);
  requireBucket(provider, scope, authority);
  for (const name of [documentNames.current, documentNames.generation(generation)]) await writerOf(secrets).probeWrite(name);
  const isFlipped = current?.generation === generation;
  const isKept = (await secrets.get(documentNames.generation(generation))) !== undefined;
  const waited = previous === undefined ? 0 : (await overlapOf(request, log.steps, { generation, previous })).end - now();
  const ending =
    previous === undefined
      ? ['there is no generation before it to end']
      : [`wait ${Math.max(0, Math.ceil(waited / 1000))} seconds`, `end the keys of generation ${previous}, and take them out of the store`];
  return {
    action: 'rotate',
    dry_run: true,
    provider: provider.kind,
    place: provider.place,
    store: secrets.place,
    generation,
    previous: previous ?? null,
    resumes: isResumed,
    steps: [
      `asked: slot ${slot} of the pair may do all of this, and the store can be written`,
      ...(isResumed ? [`finish generation ${generation}, which a run before did not end`] : []),
      ...(abandoned === undefined ? [] : [`end what there is of generation ${abandoned}, which is not finished`]),
      ...(isKept ? [] : [`mint keys for admin and proxy, for ${whereOf(scope)}`]),
      ...(isFlipped ? [] : [proving]),
      ...(isKept ? [] : [`keep them as ${documentNames.generation(generation)}, and read that back`]),
      ...(isFlipped ? [] : [`point ${documentNames.current} to generation ${generation}`]),
      ...ending,
    ],
  };
}

const proving = 'prove both: write, head, read, delete inside; another bucket, another prefix, the list of the account refused';

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Secret } from '../../secrets/secret.ts';
import { documentNames } from '../documents.ts';
import { roles } from '../PROVIDER.ts';
import type { RotateReport } from '../reports.ts';
import { writerOf } from '../writer.ts';
import { chooseAuthority, loadPair } from './authority.ts';
import { endGeneration } from './end-generation.ts';
import { establish } from './establish.ts';
import {
  beginOf,
  currentOf,
  issuerOf,
  isWithdrawn,
  labelOf,
  overlapOf,
  type RotateRequest,
  type Run,
  requireBucket,
  requireNarrowEnough,
  whereOf,
} from './run.ts';
import { openStepLog, takenOver } from './steps.ts';

/**
 * Makes keys for both roles, proves them, keeps them as one generation, makes that the current one last, and ends the
 * one before after the overlap. An earlier run that did not end is finished instead of beginning another.
 */
export async function rotate(request: RotateRequest): Promise<RotateReport> {
  const { provider, secrets, now } = request;
  const issuer = issuerOf(provider);
  const writer = writerOf(secrets);
  const log = await openStepLog(secrets, now);
  const current = await currentOf(secrets);
  const { generation, previous, scope, isResumed, abandoned } = await beginOf(request, log.steps, current);
  requireNarrowEnough(provider, scope);
  const pair = await loadPair(secrets);
  const run: Run = {
    request,
    issuer,
    pair,
    log,
    generation,
    previous,
    scope,
    id: randomBytes(4).toString('hex'),
    async add(step, facts = {}) {
      await log.add({ generation, step, ...facts });
      await request.onStep?.({ generation, step, ...facts });
    },
  };
  const chosen = await chooseAuthority(pair, provider, scope.bucket, request.patience);
  if (chosen.warning !== undefined) request.onWarning?.(chosen.warning);
  requireBucket(provider, scope, chosen.authority);
  if (isResumed && !isDeepStrictEqual(scope, request.scope))
    request.onWarning?.(`generation ${generation} is finished first, for ${whereOf(scope)}: run this again for ${whereOf(request.scope)}.`);
  for (const name of [documentNames.current, documentNames.generation(generation)]) await writer.probeWrite(name);
  const where = { bucket: scope.bucket, prefix: scope.prefix, ...(previous === undefined ? {} : { previous }) };
  let pointer = current;
  if (abandoned !== undefined) {
    const ids = abandoned === current?.generation ? [] : await endEarlier(run, chosen.value, abandoned);
    // To withdraw it was to write the pointer.
    pointer = await currentOf(secrets);
    if (pointer?.generation !== current?.generation || isWithdrawn(generation, pointer)) takenOver();
    await log.add({ generation: abandoned, step: 'failed', told: 'its keys were ended', ids });
  }
  await run.add(isResumed ? 'resumed' : 'planned', where);

  const made = await establish(run, chosen.value, pointer).catch(resumable);
  const revoked = await drain(run, chosen.value).catch(resumable);
  await run.add('done');
  return {
    action: 'rotate',
    provider: provider.kind,
    place: provider.place,
    store: secrets.place,
    generation,
    previous: previous ?? null,
    resumed: isResumed,
    keys: roles.map((role) => ({ role, id: made.keys[role].id, expires_at: dateText(made.keys[role].expiresAtMilliseconds) })),
    revoked,
  };
}

/** Waits until the servers have taken the new keys, and ends the old ones. */
async function drain(run: Run, authority: Secret): Promise<readonly string[]> {
  const { request, log, generation, previous, add } = run;
  if (previous === undefined) return [];
  const { now, patience } = request;
  const { end, isBegun } = await overlapOf(request, log.steps, { generation, previous });
  const facts = { previous, until: new Date(end).toISOString() };
  if (isBegun) await request.onStep?.({ generation, step: 'draining', ...facts });
  else await add('draining', facts);
  while (now() < end) {
    if (patience.signal?.aborted) throw stopped(generation, previous);
    await patience.wait(Math.min(1000, end - now()));
  }
  // Of those between them a run that was killed may have made keys after they were looked for.
  const between = Array.from({ length: generation - previous }, (_, index) => previous + index);
  const ids: string[] = [];
  for (const each of between) ids.push(...(await endEarlier(run, authority, each)));
  await add('revoked', { previous, ids });
  return ids;
}

/** Errors: `rotation_conflict` where servers are pointed to it by now. */
async function endEarlier({ request, issuer, pair }: Run, authority: Secret, generation: number): Promise<readonly string[]> {
  const { secrets, now } = request;
  const labelPrefix = labelOf(generation, pair);
  try {
    return await endGeneration({ issuer, authority, secrets, generation, labelPrefix, evenCurrent: false, now });
  } catch (error) {
    return isArtifactstoreError(error, 'generation_in_use') ? takenOver(error) : Promise.reject(error);
  }
}

/** Whoever is stopped leaves a run that is not over. */
function resumable(error: unknown): never {
  if (!isArtifactstoreError(error, 'cancelled') || error.info?.hint !== undefined) throw error;
  throw new ArtifactstoreError('cancelled', 'Stopped.', {
    info: { hint: 'run `artifactstore provider rotate` again: it ends or finishes what this run began' },
    cause: error,
  });
}

function stopped(generation: number, previous: number): ArtifactstoreError {
  return new ArtifactstoreError('cancelled', `Stopped. Generation ${generation} is the current one, and ${previous} is not ended yet.`, {
    info: { hint: 'run `artifactstore provider rotate` again: it waits for the rest of the overlap, and ends it' },
  });
}

function dateText(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import type { Secret } from '../../secrets/secret.ts';
import { documentNames, readGeneration } from '../documents.ts';
import { roles } from '../PROVIDER.ts';
import type { RotateReport } from '../reports.ts';
import { writerOf } from '../writer.ts';
import { chooseAuthority, loadPair } from './authority.ts';
import { endGeneration } from './end-generation.ts';
import { establish } from './establish.ts';
import { currentOf, issuerOf, labelOf, openRun, type RotateRequest, type Run, requireBucket, requireNarrowEnough, whereOf } from './run.ts';
import { openStepLog, type StepLog } from './steps.ts';

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
  const open = await openUnlessEnded(log, secrets);
  const generation = open?.generation ?? Math.max(current?.generation ?? 0, ...log.steps.map((step) => step.generation)) + 1;
  const previous = open === undefined ? current?.generation : open.previous;
  const scope = open?.scope ?? request.scope;
  requireNarrowEnough(provider, scope);
  const run: Run = {
    request,
    issuer,
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
  const chosen = await chooseAuthority(await loadPair(secrets), provider, scope.bucket, request.patience);
  if (chosen.warning !== undefined) request.onWarning?.(chosen.warning);
  requireBucket(provider, scope, chosen.authority);
  if (open !== undefined && !isDeepStrictEqual(scope, request.scope))
    request.onWarning?.(`generation ${generation} is finished first, for ${whereOf(scope)}: run this again for ${whereOf(request.scope)}.`);
  for (const name of [documentNames.current, documentNames.generation(generation)]) await writer.probeWrite(name);
  const where = { bucket: scope.bucket, prefix: scope.prefix, ...(previous === undefined ? {} : { previous }) };
  await run.add(open === undefined ? 'planned' : 'resumed', where);

  const made = await establish(run, chosen.value, current);
  const revoked = await drain(run, chosen.value);
  await run.add('done');
  return {
    action: 'rotate',
    provider: provider.kind,
    place: provider.place,
    store: secrets.place,
    generation,
    previous: previous ?? null,
    resumed: open !== undefined,
    keys: roles.map((role) => ({ role, id: made.keys[role].id, expires_at: dateText(made.keys[role].expiresAtMilliseconds) })),
    revoked,
  };
}

/** A run whose keys were ended, by itself or by somebody, is no run to finish. */
async function openUnlessEnded(log: StepLog, secrets: Secrets): Promise<ReturnType<typeof openRun>> {
  const open = openRun(log.steps);
  if (open === undefined) return undefined;
  const found = await secrets.get(documentNames.generation(open.generation));
  if (found === undefined || readGeneration(found.value, open.generation) !== 'ended') return open;
  await log.add({ generation: open.generation, step: 'failed', told: 'its keys were ended' });
  return undefined;
}

/** Waits until the servers have taken the new keys, and ends the old ones. */
async function drain({ request, issuer, log, generation, previous, add }: Run, authority: Secret): Promise<readonly string[]> {
  if (previous === undefined) return [];
  const { secrets, now, patience, overlapMilliseconds } = request;
  const begun = log.steps.findLast((step) => step.generation === generation && step.step === 'draining')?.until;
  const until = begun === undefined ? now() + overlapMilliseconds : Date.parse(begun);
  if (begun === undefined) await add('draining', { previous, until: new Date(until).toISOString() });
  while (now() < until) {
    throwIfStopped(patience.signal);
    await patience.wait(Math.min(1000, until - now()));
  }
  const ids = await endGeneration({ issuer, authority, secrets, generation: previous, labelPrefix: labelOf(previous), now });
  await add('revoked', { previous, ids });
  return ids;
}

function dateText(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}

import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import type { Secret } from '../../secrets/secret.ts';
import { documentNames, type Generation, readGeneration, writeEnded } from '../documents.ts';
import { type Issuer, roles } from '../PROVIDER.ts';
import { writerOf } from '../writer.ts';
import type { Run } from './run.ts';
import { withdraw } from './withdraw.ts';

export interface Ending {
  readonly issuer: Issuer;
  readonly authority: Secret;
  readonly secrets: Secrets;
  readonly generation: number;
  readonly labelPrefix: string;
  /** Also the generation that servers use. */
  readonly evenCurrent: boolean;
  readonly now: () => number;
}

/**
 * Ends all keys of a generation, those that only their label knows too, and takes them out of the store. It is
 * withdrawn first. May be done again at any time. The answer has what was ended. Errors: `generation_in_use` for the
 * current one; `revocation_failed`, with what is left and how to end it.
 */
export async function endGeneration(ending: Ending): Promise<readonly string[]> {
  const { issuer, authority, secrets, generation, labelPrefix, evenCurrent, now } = ending;
  if ((await withdraw(secrets, generation)) === 'current' && !evenCurrent) throw inUse(generation);
  const name = documentNames.generation(generation);
  const found = await secrets.get(name);
  const kept = found === undefined ? undefined : readGeneration(found.value, generation);
  const known = kept === undefined || kept === 'ended' ? [] : idsOf(kept);
  const { ids, left, why } = await endKeys({ issuer, authority, labelPrefix, known });
  if (left.length > 0) throw revocationFailed(left, issuer, `Generation ${generation} could not be ended`, why, sameAgain);
  if (kept !== 'ended') {
    // Where there was no document, a rotation may have kept these keys meanwhile.
    const written =
      found === undefined
        ? endDocument(secrets, generation, ids)
        : writerOf(secrets).put(name, writeEnded(generation, new Date(now()).toISOString()), found.version);
    await written.catch(async (error: unknown) => {
      // Whoever made these keys may have ended them at the same time.
      const again = await secrets.get(name);
      if (again === undefined || readGeneration(again.value, generation) !== 'ended') throw error;
    });
  }
  return ids;
}

/** Of both roles. */
export function idsOf({ keys }: Generation): readonly string[] {
  return roles.map((role) => keys[role].id);
}

function inUse(generation: number): ArtifactstoreError {
  return new ArtifactstoreError('generation_in_use', `Generation ${generation} is the one that servers use.`, {
    field: '--generation',
    info: {
      hint: 'run `artifactstore provider rotate --overlap 0`, which ends it; with --even-current servers stop until the next rotation',
    },
  });
}

export interface Leftovers extends Omit<Ending, 'now' | 'evenCurrent'> {
  /** Whether a document may have them, so that another run could point servers to them. */
  readonly mayBeKept: boolean;
  /** Ids beside those that their labels tell. */
  readonly known: readonly string[];
  readonly run: Pick<Run, 'log' | 'add'>;
  /** Why nothing of it can be kept. */
  readonly error: unknown;
}

/**
 * Ends what was minted and cannot be kept, and answers the error that is told: the one that there was, or, where
 * something is left, one that ends with its id and what ends it. The generation's document is touched only where it
 * holds these very keys: whoever took over may have put another there.
 */
export async function withoutLeftovers(leftovers: Leftovers): Promise<unknown> {
  const { issuer, secrets, run, known, generation, mayBeKept, error } = leftovers;
  let ended: Ended;
  try {
    // Whoever is stopped asks nobody more, and the next run finishes what is kept.
    if (isArtifactstoreError(error, 'cancelled')) throw error;
    if (mayBeKept && (await withdraw(secrets, generation)) === 'current') return error;
    ended = await endKeys(leftovers);
  } catch (why) {
    const minted = run.log.steps.filter((step) => step.generation === generation && step.step === 'minted').flatMap(({ ids }) => ids ?? []);
    return notEnded([...new Set([...known, ...minted])], issuer, error, why);
  }
  const { ids, left, why } = ended;
  if (left.length > 0) return notEnded(left, issuer, error, why);
  try {
    await endDocument(secrets, generation, ids);
    await run.add('failed', { told: isArtifactstoreError(error) ? error.code : 'internal', ids });
  } catch (second) {
    // No key is left, whatever the store does not take: the next run finds that out.
    const isTakenOver = isArtifactstoreError(second, 'rotation_conflict') && isArtifactstoreError(error, 'secret_conflict');
    return isTakenOver ? second : error;
  }
  return error;
}

/** Where it holds these very keys. */
async function endDocument(secrets: Secrets, generation: number, ids: readonly string[]): Promise<void> {
  const name = documentNames.generation(generation);
  const found = await secrets.get(name);
  const kept = found === undefined ? 'ended' : readGeneration(found.value, generation);
  if (found === undefined || kept === 'ended' || !idsOf(kept).every((id) => ids.includes(id))) return;
  await writerOf(secrets).put(name, writeEnded(generation, new Date().toISOString()), found.version);
}

interface Ended {
  /** Whatever there was, ended or not. */
  readonly ids: readonly string[];
  readonly left: readonly string[];
  /** Why the first of them is left. */
  readonly why: unknown;
}

/** All that is known, and all that only its label knows. One that fails keeps no other from being ended. */
async function endKeys({
  issuer,
  authority,
  labelPrefix,
  known,
}: Pick<Leftovers, 'issuer' | 'authority' | 'labelPrefix' | 'known'>): Promise<Ended> {
  const ids = [...new Set([...known, ...(await issuer.find(authority, labelPrefix))])];
  const left: string[] = [];
  let why: unknown;
  for (const id of ids) {
    try {
      await issuer.revoke(authority, id);
    } catch (error) {
      if (isArtifactstoreError(error, 'cancelled')) throw error;
      left.push(id);
      why ??= error;
    }
  }
  return { ids, left, why };
}

function notEnded(ids: readonly string[], issuer: Issuer, error: unknown, why: unknown): unknown {
  if (!isArtifactstoreError(error, 'cancelled')) {
    const reason = isArtifactstoreError(error) ? error.message : 'The rotation failed.';
    return revocationFailed(ids, issuer, `${reason} What was minted could not be ended either`, why, rotateAgain, error);
  }
  if (ids.length === 0) return error;
  return new ArtifactstoreError('cancelled', `Stopped. What was minted is not ended yet: ${ids.join(', ')}.`, {
    info: { ids, hint: whatEnds(ids, issuer, rotateAgain) },
    cause: error,
  });
}

/** `again` is what a person runs. */
function revocationFailed(
  ids: readonly string[],
  issuer: Issuer,
  what: string,
  why: unknown,
  again: string,
  cause = why,
): ArtifactstoreError {
  const reason = isArtifactstoreError(why) ? ` ${why.message}` : '';
  return new ArtifactstoreError('revocation_failed', `${what}: ${ids.join(', ') || 'see `provider status`'}.${reason}`, {
    info: { ids, hint: whatEnds(ids, issuer, again) },
    cause,
  });
}

/** The last line that is said: what to run, and what a person does where that does not help. */
function whatEnds(ids: readonly string[], issuer: Issuer, again: string): string {
  return [again, ...(ids.length === 0 ? [] : [`by hand: ${ids.map((id) => issuer.howToRevoke(id)).join('; ')}`])].join('; ');
}

const rotateAgain = 'run `artifactstore provider rotate` again: it ends or finishes what it finds first';
const sameAgain = 'run the same command again: it ends what is left';

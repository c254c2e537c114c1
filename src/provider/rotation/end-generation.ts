import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import type { Secret } from '../../secrets/secret.ts';
import { documentNames, readGeneration, writeEnded } from '../documents.ts';
import { type Issuer, roles } from '../PROVIDER.ts';
import { writerOf } from '../writer.ts';
import type { StepLog } from './steps.ts';

export interface Ending {
  readonly issuer: Issuer;
  readonly authority: Secret;
  readonly secrets: Secrets;
  readonly generation: number;
  readonly labelPrefix: string;
  readonly now: () => number;
}

/**
 * Ends all keys of a generation, those that only their label knows too, and takes them out of the store. May be done
 * again at any time. The answer has what was ended. Errors: `revocation_failed`, with what is left and how to end it.
 */
export async function endGeneration({ issuer, authority, secrets, generation, labelPrefix, now }: Ending): Promise<readonly string[]> {
  const name = documentNames.generation(generation);
  const found = await secrets.get(name);
  const kept = found === undefined ? undefined : readGeneration(found.value, generation);
  const known = kept === undefined || kept === 'ended' ? [] : roles.map((role) => kept.keys[role].id);
  const ids = new Set([...known, ...(await issuer.find(authority, labelPrefix))]);
  const left = await revokeAll(issuer, authority, ids);
  if (left.length > 0) throw revocationFailed(left, issuer, `Generation ${generation} could not be ended`);
  if (found !== undefined && kept !== 'ended')
    await writerOf(secrets).put(name, writeEnded(generation, new Date(now()).toISOString()), found.version);
  return [...ids];
}

export interface Leftovers extends Omit<Ending, 'now'> {
  /** Ids beside those that their labels tell. */
  readonly known: readonly string[];
  readonly log: StepLog;
  /** Why nothing of it can be kept. */
  readonly error: unknown;
}

/**
 * Ends what was minted and cannot be kept, and answers the error that is told: the one that there was, or, where
 * something is left, one that ends with its id and what ends it. The generation's document is touched only where it
 * holds these very keys: whoever took over may have put another there.
 */
export async function withoutLeftovers(leftovers: Leftovers): Promise<unknown> {
  const { issuer, authority, labelPrefix, known, secrets, log, generation, error } = leftovers;
  try {
    const ids = new Set([...known, ...(await issuer.find(authority, labelPrefix))]);
    const left = await revokeAll(issuer, authority, ids);
    if (left.length > 0) throw revocationFailed(left, issuer, 'Keys could not be ended');
    await endDocument(secrets, generation, ids);
    const told = isArtifactstoreError(error) ? error.code : 'internal';
    // Who lost the log has nothing to write down in it.
    if (!isArtifactstoreError(error, 'rotation_conflict')) await log.add({ generation, step: 'failed', told, ids: [...ids] });
    return error;
  } catch (second) {
    if (isArtifactstoreError(second, 'rotation_conflict')) return error;
    const minted = log.steps.filter((step) => step.generation === generation && step.step === 'minted').flatMap(({ ids }) => ids ?? []);
    const left = isArtifactstoreError(second, 'revocation_failed') ? idsOf(second.info?.ids) : [...new Set([...known, ...minted])];
    const reason = error instanceof Error ? error.message : String(error);
    return revocationFailed(left, issuer, `${reason} What was minted could not be ended either`, error);
  }
}

async function endDocument(secrets: Secrets, generation: number, ids: ReadonlySet<string>): Promise<void> {
  const name = documentNames.generation(generation);
  const found = await secrets.get(name);
  const kept = found === undefined ? 'ended' : readGeneration(found.value, generation);
  if (found === undefined || kept === 'ended' || !roles.every((role) => ids.has(kept.keys[role].id))) return;
  await writerOf(secrets).put(name, writeEnded(generation, new Date().toISOString()), found.version);
}

async function revokeAll(issuer: Issuer, authority: Secret, ids: Iterable<string>): Promise<readonly string[]> {
  const left: string[] = [];
  for (const id of ids) {
    try {
      await issuer.revoke(authority, id);
    } catch (error) {
      if (!isArtifactstoreError(error)) throw error;
      left.push(id);
    }
  }
  return left;
}

function revocationFailed(ids: readonly string[], issuer: Issuer, what: string, cause?: unknown): ArtifactstoreError {
  const how = ids.map((id) => issuer.howToRevoke(id)).join('; ');
  return new ArtifactstoreError('revocation_failed', `${what}: ${ids.join(', ') || 'see `provider status`'}.`, {
    info: { ids, hint: how === '' ? 'run `artifactstore provider rotate` again: it ends what it finds first' : how },
    cause,
  });
}

function idsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [];
}

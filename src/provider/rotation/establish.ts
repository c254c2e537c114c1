import { isDeepStrictEqual } from 'node:util';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import type { Secret } from '../../secrets/secret.ts';
import {
  documentNames,
  type Generation,
  type GenerationKeys,
  readGeneration,
  signingKeys,
  writeCurrent,
  writeGeneration,
} from '../documents.ts';
import { mustHold } from '../must-hold.ts';
import { type Role, roles } from '../PROVIDER.ts';
import { writerOf } from '../writer.ts';
import { idsOf, withoutLeftovers } from './end-generation.ts';
import { type Current, currentOf, isWithdrawn, labelOf, type Run } from './run.ts';
import { withdraw } from './withdraw.ts';

/** Up to the flip: afterwards the generation is the current one. Whatever fails before ends what was minted. */
export async function establish(run: Run, authority: Secret, current: Current | undefined): Promise<Generation> {
  const { request, issuer, generation } = run;
  const { secrets, provider } = request;
  const name = documentNames.generation(generation);
  const kept = await secrets.get(name);
  const before = kept === undefined ? undefined : readGeneration(kept.value, generation);
  if (before === 'ended') throw endedAlready(generation);
  if (current?.generation === generation) {
    if (before === undefined) throw lost(generation);
    return before;
  }
  let isPersisted = before !== undefined;
  let mayBeKept = isPersisted;
  let made = before;
  try {
    made ??= await mintBoth(run, authority);
    for (const role of roles) {
      mustHold(
        await provider.prove(signingKeys(made.keys[role]), run.scope, { otherBucket: request.otherBucket }),
        `the ${role} of generation ${generation}`,
      );
      await run.add('proved', { role });
    }
    if (before === undefined) {
      mayBeKept = true;
      await writerOf(secrets).put(name, writeGeneration(made), undefined);
      isPersisted = true;
      await requireStored(secrets, made);
      await run.add('persisted');
    }
    throwIfStopped(request.patience.signal);
    await flip(run, current);
    await run.add('flipped');
    return made;
  } catch (error) {
    if (error instanceof Unsettled) throw error.reason;
    // Whoever took over has found the whole generation and continues with it, unless it was a revocation.
    if (isArtifactstoreError(error, 'rotation_conflict') && isPersisted && !(await isKnownWithdrawn(run))) throw error;
    // Keys of this run alone, unless it has taken over what another run kept.
    const label = labelOf(generation, run.pair);
    const labelPrefix = before === undefined ? `${label}${run.id}-` : label;
    // A revocation may have ended them before they were kept: then no label tells them.
    const known = made === undefined ? [] : idsOf(made);
    throw await withoutLeftovers({ issuer, authority, labelPrefix, known, secrets, generation, mayBeKept, run, error });
  }
}

/** False where the store does not say: the next run finds that out. */
async function isKnownWithdrawn({ request: { secrets }, generation }: Run): Promise<boolean> {
  return await currentOf(secrets).then(
    (current) => isWithdrawn(generation, current),
    () => false,
  );
}

/** What can't be ended here: the generation may be the current one, and only the next run will know. */
class Unsettled extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super('unsettled');
    this.reason = reason;
  }
}

/** A write whose answer was lost may have been done, or is still to come: it is done, or is kept from being done. */
async function flip({ request: { secrets }, generation }: Run, current: Current | undefined): Promise<void> {
  try {
    await writerOf(secrets).put(documentNames.current, writeCurrent({ generation, withdrawn: [] }), current?.version);
  } catch (error) {
    const settled = await withdraw(secrets, generation).catch(() => {
      throw new Unsettled(error);
    });
    if (settled === 'before') throw endedAlready(generation);
    if (settled === 'withdrawn') throw error;
  }
}

async function mintBoth(run: Run, authority: Secret): Promise<Generation> {
  const { request, issuer, generation, scope } = run;
  const { provider, now, lifetimeMilliseconds } = request;
  const keys = new Map<Role, GenerationKeys>();
  for (const role of roles) {
    const label = `${labelOf(generation, run.pair)}${run.id}-${role}`;
    await run.add('minting', { role, label });
    const expiresAtMilliseconds = now() + lifetimeMilliseconds;
    const made = await issuer.mint(authority, { label, role, scope, expiresAtMilliseconds });
    keys.set(role, {
      ...made,
      expiresAtMilliseconds: made.expiresAtMilliseconds ?? (provider.capabilities.expiry ? expiresAtMilliseconds : undefined),
    });
    await run.add('minted', { role, ids: [made.id] });
  }
  return {
    generation,
    provider: provider.kind,
    account: run.pair.account,
    bucket: scope.bucket,
    prefix: scope.prefix,
    madeAt: new Date(now()).toISOString(),
    keys: { admin: keys.get('admin')!, proxy: keys.get('proxy')! },
  };
}

/** What the store gives is what was minted. */
async function requireStored(secrets: Secrets, made: Generation): Promise<void> {
  const found = await secrets.get(documentNames.generation(made.generation));
  const kept = found === undefined ? undefined : readGeneration(found.value, made.generation);
  const isSame =
    kept !== undefined &&
    kept !== 'ended' &&
    roles.every((role) => isDeepStrictEqual(signingKeys(kept.keys[role]), signingKeys(made.keys[role])));
  if (!isSame)
    throw new ArtifactstoreError('secret_conflict', `Generation ${made.generation} is not what was written.`, {
      field: documentNames.generation(made.generation),
      info: { hint: 'somebody else writes to the store: run it again when nobody does' },
    });
}

function endedAlready(generation: number): ArtifactstoreError {
  return new ArtifactstoreError('secret_conflict', `Generation ${generation} was ended while it was being made.`, {
    field: documentNames.generation(generation),
    info: { hint: 'somebody revoked it: run the rotation again' },
  });
}

function lost(generation: number): ArtifactstoreError {
  return new ArtifactstoreError('secret_unusable', `Generation ${generation} is the current one, and its document is not there.`, {
    field: documentNames.generation(generation),
    info: { fault: 'malformed', hint: 'bring the document back from the versions of the store' },
  });
}

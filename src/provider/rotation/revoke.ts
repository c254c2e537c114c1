import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Secrets } from '../../secrets/SECRETS.ts';
import { documentNames, readGeneration } from '../documents.ts';
import type { Provider } from '../PROVIDER.ts';
import type { Patience } from '../propagation.ts';
import type { RevokeReport } from '../reports.ts';
import { chooseAuthority, loadPair } from './authority.ts';
import { endGeneration } from './end-generation.ts';
import { issuerOf, labelOf } from './run.ts';
import { openStepLog, type Step } from './steps.ts';

export interface RevokeRequest {
  readonly provider: Provider;
  readonly secrets: Secrets;
  readonly generation: number;
  /** The generation that servers use is ended too: they stop until the next rotation. */
  readonly evenCurrent: boolean;
  readonly patience: Patience;
  readonly now: () => number;
  readonly onWarning?: (text: string) => void;
}

/**
 * Ends a generation now, also where the log cannot be read or written: that is a warning. A rotation that is under way
 * stops at its next step. Errors: `generation_not_found`; `generation_in_use` for the current one.
 */
export async function revokeGeneration(request: RevokeRequest): Promise<RevokeReport> {
  const { provider, secrets, generation, evenCurrent, patience, now } = request;
  const issuer = issuerOf(provider);
  const stored = await secrets.get(documentNames.generation(generation));
  const kept = stored === undefined ? undefined : readGeneration(stored.value, generation);
  const bucket = kept === undefined || kept === 'ended' ? '' : kept.bucket;
  const pair = await loadPair(secrets);
  const chosen = await chooseAuthority(pair, provider, bucket === '' ? undefined : bucket, patience);
  if (chosen.warning !== undefined) request.onWarning?.(chosen.warning);
  const authority = chosen.value;
  const labelPrefix = labelOf(generation, pair);
  if (stored === undefined && (await issuer.find(authority, labelPrefix)).length === 0)
    throw new ArtifactstoreError('generation_not_found', `There is no generation ${generation} in ${secrets.place}.`, {
      field: '--generation',
      info: { hint: '`artifactstore provider status` lists them' },
    });
  const revoked = await endGeneration({ issuer, authority, secrets, generation, labelPrefix, evenCurrent, now });
  await writeDown(secrets, now, { generation, step: 'revoked', ids: revoked, told: 'by `provider revoke`' }).catch((error: unknown) => {
    if (!isArtifactstoreError(error)) throw error;
    request.onWarning?.(`the keys were ended, and ${documentNames.steps} does not say so: ${error.message}`);
  });
  return { action: 'revoke', provider: provider.kind, place: provider.place, store: secrets.place, generation, revoked };
}

/** Behind what others have written meanwhile. */
async function writeDown(secrets: Secrets, now: () => number, step: Omit<Step, 'at'>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const log = await openStepLog(secrets, now);
    try {
      return await log.add(step);
    } catch (error) {
      if (!isArtifactstoreError(error, 'rotation_conflict') || attempt === attempts) throw error;
    }
  }
}

const attempts = 5;

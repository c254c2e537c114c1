import { randomBytes } from 'node:crypto';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import type { Secrets } from '../secrets/SECRETS.ts';
import type { Secret } from '../secrets/secret.ts';
import { documentNames, readPair, writePair } from './documents.ts';
import { fingerprint } from './fingerprint.ts';
import type { Authority, Provider } from './PROVIDER.ts';
import { type Patience, untilAllowed } from './propagation.ts';
import { unusableAuthority } from './refusal.ts';
import type { ImportReport } from './reports.ts';
import { readTokenFile } from './token-file.ts';
import { writerOf } from './writer.ts';

export interface ImportRequest {
  readonly provider: Provider;
  readonly account: string;
  readonly providerUrl: string | undefined;
  /** Absolute paths: slot a, slot b. */
  readonly tokenFiles: readonly [string, string];
  readonly bucket: string | undefined;
  readonly secrets: Secrets;
  readonly patience: Patience;
  /** Asks everything and writes nothing. */
  readonly dryRun: boolean;
  readonly onStep?: (step: string) => void;
}

const slots = ['a', 'b'] as const;

/**
 * Two authorities of one account become the pair of the store. Both are verified at the provider first, and whatever is
 * wrong with either is said at once; nothing is written unless all of it holds. What was written is read back and
 * verified again: the answer is about what is there.
 */
export async function importAdminPair(request: ImportRequest): Promise<ImportReport> {
  const { provider, account, providerUrl, bucket, secrets, patience, dryRun, tokenFiles } = request;
  const writer = writerOf(secrets);
  const steps: string[] = [];
  const step = (text: string): void => {
    steps.push(text);
    request.onStep?.(text);
  };
  const values = await both((index) => readTokenFile(tokenFiles[index]));
  step('both token files are right: regular, private, short');
  const verify = async (value: Secret): Promise<Authority> => await untilAllowed(patience, () => provider.verify(value, bucket));
  const found = await both((index) => verify(values[index]));
  if (found[0].subject === found[1].subject)
    throw unusableAuthority(
      'same_subject',
      `Slots a and b hold the same authority (${fingerprint(found[0].subject)}). Nothing was written`,
      'make a second one: one of the two is there to mend or end the other',
    );
  step('both are active at the provider, and have every permission that a rotation needs');
  // Before anything is made: a store that cannot be written is told now.
  await writer.probeWrite(documentNames.pair);
  const before = await secrets.get(documentNames.pair);
  step(`the store can be written${before === undefined ? '' : ', and has a pair already, which is replaced'}`);
  if (!dryRun) {
    const tokens = slots.map((slot, index) => {
      const { subject, expiresAtMilliseconds } = found[index as 0 | 1];
      return { slot, subject, value: values[index as 0 | 1], expiresAtMilliseconds };
    });
    const pair = writePair({ provider: provider.kind, account, providerUrl, storeId: storeIdOf(before?.value), tokens });
    await writer.put(documentNames.pair, pair, before?.version);
    step('persisted as one document, by compare-and-set');
    const stored = await secrets.get(documentNames.pair);
    const { tokens: kept } = readPair(stored?.value ?? replaced());
    const again = await both((index) => verify(kept[index]!.value), 'The pair was written before this came up.');
    if (again.some(({ subject }, index) => subject !== found[index as 0 | 1].subject)) replaced();
    step('read back and verified again');
  }
  return {
    action: 'import-admin-pair',
    provider: provider.kind,
    place: provider.place,
    account,
    store: secrets.place,
    dry_run: dryRun,
    persisted: !dryRun,
    tokens: slots.map((slot, index) => {
      const { subject, expiresAtMilliseconds, granted } = found[index as 0 | 1];
      const end = expiresAtMilliseconds === undefined ? null : new Date(expiresAtMilliseconds).toISOString();
      return { slot, fingerprint: fingerprint(subject), expires_at: end, granted };
    }),
    bucket: bucket === undefined ? null : { name: bucket, is_there: found[0].bucketIsThere ?? false },
    steps,
  };
}

/** A store keeps its id, since its labels have it; a pair that is replaced and cannot be read has none. */
function storeIdOf(before: Secret | undefined): string | undefined {
  const another = randomBytes(4).toString('hex');
  if (before === undefined) return another;
  try {
    return readPair(before).storeId;
  } catch {
    return another;
  }
}

/** Of both slots, or one error that says what is wrong with each, and what was done before. */
async function both<T>(work: (index: 0 | 1) => Promise<T>, done = 'Nothing was written.'): Promise<readonly [T, T]> {
  const [a, b] = await Promise.allSettled([work(0), work(1)]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  const problems = [a, b].flatMap((each, index) =>
    each.status === 'rejected' ? [{ slot: slots[index]!, error: each.reason as unknown }] : [],
  );
  const unknown = problems.find(({ error }) => !isArtifactstoreError(error));
  if (unknown !== undefined) throw unknown.error;
  const { code, field, info } = problems[0]!.error as ArtifactstoreError;
  const message = problems.map(({ slot, error }) => `Token ${slot}: ${(error as ArtifactstoreError).message}`).join(' ');
  const hints = new Set(problems.flatMap(({ error }) => (error as ArtifactstoreError).info?.hint ?? []));
  throw new ArtifactstoreError(code, `${message} ${done}`, {
    ...(field === undefined ? {} : { field }),
    info: {
      ...info,
      hint: [...hints].join('; '),
      problems: problems.map(({ slot, error }) => ({
        slot,
        code: (error as ArtifactstoreError).code,
        ...(error as ArtifactstoreError).info,
      })),
    },
    cause: problems[0]!.error,
  });
}

function replaced(): never {
  throw new ArtifactstoreError(
    'secret_conflict',
    'The pair that was written is not what is there now: somebody else wrote at the same time.',
    {
      field: documentNames.pair,
      info: { hint: 'run it again when nobody else does' },
    },
  );
}

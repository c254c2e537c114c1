import type { Secrets } from '../../secrets/SECRETS.ts';
import { documentNames, readGeneration, readPair } from '../documents.ts';
import { fingerprint } from '../fingerprint.ts';
import { roles } from '../PROVIDER.ts';
import type { StatusReport } from '../reports.ts';
import { currentOf, openRun } from './run.ts';
import { openStepLog, type StepName } from './steps.ts';

/** Asks the store alone, not the provider: it can be run by whoever may read the store. */
export async function providerStatus(secrets: Secrets): Promise<StatusReport> {
  const [found, current, log, names] = await Promise.all([
    secrets.get(documentNames.pair),
    currentOf(secrets),
    openStepLog(secrets, Date.now),
    secrets.list(),
  ]);
  const pair = found === undefined ? undefined : readPair(found.value);
  const numbers = names.flatMap((name) => /^provider\/generations\/(\d{1,9})$/.exec(name)?.[1] ?? []).map(Number);
  const generations: StatusReport['generations'][number][] = [];
  for (const generation of numbers.sort((left, right) => left - right)) {
    const stored = await secrets.get(documentNames.generation(generation));
    if (stored === undefined) continue;
    const read = readGeneration(stored.value, generation);
    if (read === 'ended') {
      generations.push({ generation, state: 'ended', bucket: null, prefix: null, made_at: null, expires_at: null, ids: [] });
      continue;
    }
    const { bucket, prefix, madeAt, keys } = read;
    const ends = roles.flatMap((role) => keys[role].expiresAtMilliseconds ?? []);
    generations.push({
      generation,
      state: generation === current?.generation ? 'current' : 'kept',
      bucket,
      prefix,
      made_at: madeAt,
      expires_at: ends.length === 0 ? null : dateText(Math.min(...ends)),
      ids: roles.map((role) => keys[role].id),
    });
  }
  const open = openRun(log.steps);
  if (open !== undefined && !generations.some(({ generation }) => generation === open.generation)) {
    const idsOf = (name: StepName) =>
      log.steps.flatMap(({ generation, step, ids }) => (generation === open.generation && step === name ? (ids ?? []) : []));
    const ended = new Set(idsOf('revoked'));
    const ids = [...new Set(idsOf('minted'))].filter((id) => !ended.has(id));
    const { bucket, prefix } = open.scope;
    const facts = { bucket, prefix, made_at: null, expires_at: null };
    if (ids.length > 0) generations.push({ generation: open.generation, state: 'unfinished', ...facts, ids });
  }
  return {
    action: 'status',
    store: secrets.place,
    pair:
      pair === undefined
        ? null
        : {
            provider: pair.provider,
            account: pair.account,
            tokens: pair.tokens.map(({ slot, subject, expiresAtMilliseconds }) => ({
              slot,
              fingerprint: fingerprint(subject),
              expires_at: expiresAtMilliseconds === undefined ? null : dateText(expiresAtMilliseconds),
            })),
          },
    current: current?.generation ?? null,
    generations,
    unfinished: open?.generation ?? null,
    steps: log.steps.slice(-20),
  };
}

function dateText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import { importAdminPair } from '../provider/import-pair.ts';
import { openProvider } from '../provider/open.ts';
import type { Provider, ProviderKind } from '../provider/PROVIDER.ts';
import { patienceOf } from '../provider/propagation.ts';
import type { ProviderCommands, ProviderPlace, RotateOptions } from '../provider/reports.ts';
import { loadPair } from '../provider/rotation/authority.ts';
import { planRotation } from '../provider/rotation/plan.ts';
import { revokeGeneration } from '../provider/rotation/revoke.ts';
import { rotate } from '../provider/rotation/rotate.ts';
import { providerStatus } from '../provider/rotation/status.ts';
import type { Step, StepName } from '../provider/rotation/steps.ts';
import { writerOf } from '../provider/writer.ts';
import { openSecrets } from '../secrets/open.ts';
import { parseSecretsPlace } from '../secrets/place.ts';
import type { Secrets } from '../secrets/SECRETS.ts';

/** The commands of the provider, with their parts put together. */
export const providerCommands: ProviderCommands = {
  async importAdminPair(options) {
    const { provider: kind, account, signal, propagationSeconds, create, ...rest } = options;
    await using stack = new AsyncDisposableStack();
    const secrets = stack.adopt(secretsOf(options, create), (each) => each.close());
    const provider = stack.adopt(providerOf(kind, account, options.providerUrl, options), (each) => each.close());
    return await importAdminPair({ ...rest, account, provider, secrets, patience: patienceOf(1000 * propagationSeconds, signal) });
  },
  async planRotation(options) {
    return await withPair(options, async (provider, secrets) => await planRotation(rotationOf(options, provider, secrets)));
  },
  async rotate(options) {
    return await withPair(options, async (provider, secrets) => {
      const { onStep, onWarning } = options;
      return await rotate({
        ...rotationOf(options, provider, secrets),
        onStep: (step) => onStep?.(stepText(step)),
        ...(onWarning === undefined ? {} : { onWarning }),
      });
    });
  },
  async status(options) {
    await using stack = new AsyncDisposableStack();
    return await providerStatus(stack.adopt(secretsOf(options), (each) => each.close()));
  },
  async revoke(options) {
    const { generation, evenCurrent, onWarning, propagationSeconds, signal } = options;
    return await withPair(options, async (provider, secrets) => {
      const patience = patienceOf(1000 * propagationSeconds, signal);
      const more = onWarning === undefined ? {} : { onWarning };
      return await revokeGeneration({ provider, secrets, generation, evenCurrent, patience, now: Date.now, ...more });
    });
  },
};

function stepText({ generation, step, role, previous, until, ids }: Omit<Step, 'at'>): string {
  const ended = ids === undefined ? '' : `, keys ended: ${ids.length}`;
  const facts: Partial<Record<StepName, string>> = {
    draining: `, generation ${previous} stays good until ${until}`,
    revoked: previous === undefined ? ended : `${ended} (generation ${previous})`,
    failed: ended,
  };
  return `generation ${generation}: ${step}${role === undefined ? '' : ` (${role})`}${facts[step] ?? ''}`;
}

async function withPair<T>(options: ProviderPlace, work: (provider: Provider, secrets: Secrets) => Promise<T>): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const secrets = stack.adopt(secretsOf(options), (each) => each.close());
  // A store that nobody can write to has no pair either, and an import could not help it.
  writerOf(secrets);
  const pair = await loadPair(secrets);
  const url = options.providerUrl ?? pair.providerUrl;
  const provider = stack.adopt(providerOf(pair.provider, pair.account, url, options), (each) => each.close());
  return await work(provider, secrets);
}

function rotationOf(options: RotateOptions, provider: Provider, secrets: Secrets): Parameters<typeof rotate>[0] {
  const { bucket, prefix, otherBucket, lifetimeSeconds, overlapSeconds, propagationSeconds, signal } = options;
  return {
    provider,
    secrets,
    scope: { bucket, prefix },
    otherBucket,
    lifetimeMilliseconds: 1000 * lifetimeSeconds,
    overlapMilliseconds: 1000 * overlapSeconds,
    patience: patienceOf(1000 * propagationSeconds, signal),
    now: Date.now,
  };
}

function providerOf(kind: ProviderKind, account: string, providerUrl: string | undefined, options: ProviderPlace): Provider {
  const { endpoint, region, propagationSeconds, signal } = options;
  return openProvider(kind, {
    account,
    providerUrl,
    endpointUrl: endpoint,
    region,
    patience: patienceOf(1000 * propagationSeconds, signal),
    limitMilliseconds: 60_000,
    wait: (milliseconds) => sleep(milliseconds, undefined, { signal }),
  });
}

function secretsOf({ store, auth, namespace, environment }: ProviderPlace, mayBeEmpty = false): Secrets {
  try {
    return openSecrets(parseSecretsPlace(store), { environment, auth, namespace, mayBeEmpty });
  } catch (error) {
    throw new ArtifactstoreError('invalid_configuration', `--store: ${(error as Error).message}.`, { field: '--store', cause: error });
  }
}

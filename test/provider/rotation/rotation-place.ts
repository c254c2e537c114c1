import { importAdminPair } from '../../../src/provider/import-pair.ts';
import { openProvider } from '../../../src/provider/open.ts';
import type { Provider } from '../../../src/provider/PROVIDER.ts';
import { type RevokeRequest, revokeGeneration } from '../../../src/provider/rotation/revoke.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import type { RotateRequest } from '../../../src/provider/rotation/run.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { openStrictApi, type StrictApi, type StrictApiOptions } from '../cloudflare-r2/strict-api.ts';
import { openPrivateFolder } from '../private-file.ts';
import { withoutPatience } from '../without-patience.ts';

/** A provider, its objects, and a store of secrets with an admin pair in it. */
export interface RotationPlace extends AsyncDisposable {
  readonly api: StrictApi;
  readonly store: StrictStore;
  readonly secrets: Secrets;
  readonly storePath: string;
  readonly tokens: readonly { readonly id: string; readonly value: string }[];
  provider(signal?: AbortSignal): Provider;
  request(more?: Partial<RotateRequest>): RotateRequest;
  rotate(more?: Partial<RotateRequest>): ReturnType<typeof rotate>;
  revoke(generation: number, more?: Partial<RevokeRequest>): ReturnType<typeof revokeGeneration>;
}

export async function openRotationPlace(options: StrictApiOptions & { readonly secrets?: Secrets } = {}): Promise<RotationPlace> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStrictStore({ region: 'auto', buckets: ['artifacts', 'payroll'] }));
  const api = stack.use(await openStrictApi({ store, ...options }));
  const folder = stack.use(openPrivateFolder());
  const { secrets = folder.secrets } = options;
  const tokens = [api.addToken(), api.addToken()] as const;
  const provider = (signal?: AbortSignal): Provider =>
    openProvider('cloudflare-r2', {
      account: api.account,
      providerUrl: api.url,
      endpointUrl: store.url,
      region: undefined,
      patience: { ...withoutPatience(options.propagationMilliseconds === undefined ? 0 : 30_000), signal },
      limitMilliseconds: 1000,
      wait: async () => undefined,
    });
  const importing = provider();
  await importAdminPair({
    provider: importing,
    account: api.account,
    providerUrl: api.url,
    tokenFiles: [folder.write('a', tokens[0].value), folder.write('b', tokens[1].value)],
    bucket: 'artifacts',
    secrets,
    patience: withoutPatience(),
    dryRun: false,
  });
  await importing.close();
  const request = (more: Partial<RotateRequest> = {}): RotateRequest => ({
    provider: provider(),
    secrets,
    scope: { bucket: 'artifacts', prefix: '' },
    otherBucket: 'payroll',
    lifetimeMilliseconds: 3_600_000,
    overlapMilliseconds: 0,
    patience: withoutPatience(),
    now: Date.now,
    ...more,
  });
  const held = stack.move();
  return {
    api,
    store,
    secrets,
    storePath: secrets.place,
    tokens,
    provider,
    request,
    async rotate(more) {
      const asked = request(more);
      try {
        return await rotate(asked);
      } finally {
        await asked.provider.close();
      }
    },
    async revoke(generation, more = {}) {
      const own = provider();
      const patience = withoutPatience();
      try {
        return await revokeGeneration({ provider: own, secrets, generation, evenCurrent: false, patience, now: Date.now, ...more });
      } finally {
        await own.close();
      }
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

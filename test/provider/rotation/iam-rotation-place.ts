import { importAdminPair } from '../../../src/provider/import-pair.ts';
import type { Provider } from '../../../src/provider/PROVIDER.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import type { RotateRequest } from '../../../src/provider/rotation/run.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { openStrictStore } from '../../s3-stand-in/strict-store.ts';
import { openStrictIam } from '../aws-iam/strict-iam.ts';
import { providerAt } from '../opened.ts';
import { openPrivateFolder } from '../private-file.ts';
import { withoutPatience } from '../without-patience.ts';
import type { RotationPlace } from './rotation-place.ts';

/** What a rotation that is killed needs of a place, whoever the provider is. */
export type KillPlace = Pick<RotationPlace, 'store' | 'secrets' | 'storePath' | 'provider' | 'request' | 'rotate'> & {
  readonly api: { readonly account: string; readonly url: string; readonly calls: readonly string[]; minted(): readonly string[] };
  readonly tokens: readonly { readonly value: string }[];
} & AsyncDisposable;

/** As `openRotationPlace`, at the stand-ins of AWS's IAM and of S3. */
export async function openIamRotationPlace(options: { readonly secrets?: Secrets } = {}): Promise<KillPlace> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStrictStore({ buckets: ['artifacts', 'payroll'] }));
  const api = stack.use(await openStrictIam({ store }));
  const folder = stack.use(openPrivateFolder());
  const { secrets = folder.secrets } = options;
  const tokens = ['a', 'b'].map((name) => ({ value: api.addUser({ name: `artifactstore-authority-${name}` }) }));
  const provider = (): Provider => providerAt('aws-iam', api.account, api.url, store.url);
  const importing = provider();
  await importAdminPair({
    provider: importing,
    account: api.account,
    providerUrl: api.url,
    tokenFiles: [folder.write('a', tokens[0]!.value), folder.write('b', tokens[1]!.value)],
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
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

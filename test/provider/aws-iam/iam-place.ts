import { openProvider } from '../../../src/provider/open.ts';
import type { Issuer, Minted, MintRequest, Provider } from '../../../src/provider/PROVIDER.ts';
import { type Secret, secretOf } from '../../../src/secrets/secret.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { withoutPatience } from '../without-patience.ts';
import { openStrictIam, type StrictIam, type StrictIamOptions } from './strict-iam.ts';

/** A driver at the stand-ins of IAM and S3, and an authority that may do everything. */
export interface IamPlace extends AsyncDisposable {
  readonly iam: StrictIam;
  readonly store: StrictStore;
  readonly provider: Provider;
  readonly issuer: Issuer;
  readonly authority: Secret;
  /** How long it was waited altogether because the provider was busy. */
  readonly waited: () => number;
  mint(more?: Partial<MintRequest>): Promise<Minted>;
}

export async function openIamPlace(options: StrictIamOptions = {}): Promise<IamPlace> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStrictStore({ buckets: ['artifacts', 'payroll'], foreignBuckets: ['theirs'] }));
  const iam = stack.use(await openStrictIam({ store, ...options }));
  let waited = 0;
  const provider = openProvider('aws-iam', {
    account: iam.account,
    providerUrl: iam.url,
    endpointUrl: store.url,
    region: undefined,
    patience: withoutPatience(options.propagationMilliseconds === undefined ? 0 : 30_000),
    limitMilliseconds: 4000,
    async wait(milliseconds) {
      waited += milliseconds;
    },
  });
  stack.adopt(provider, (each) => each.close());
  const authority = secretOf(iam.addUser({ name: 'artifactstore-authority-a' }));
  const held = stack.move();
  return {
    iam,
    store,
    provider,
    issuer: provider.issuer!,
    authority,
    waited: () => waited,
    mint: (more = {}) =>
      provider.issuer!.mint(authority, {
        label: 'artifactstore-g1-0badcafe-proxy',
        role: 'proxy',
        scope: { bucket: 'artifacts', prefix: '' },
        expiresAtMilliseconds: Date.now() + 3_600_000,
        ...more,
      }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

import type { OpenedProvider } from '../../src/provider/conformance.ts';
import { openProvider } from '../../src/provider/open.ts';
import type { Provider, ProviderKind } from '../../src/provider/PROVIDER.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { openStrictStore } from '../s3-stand-in/strict-store.ts';
import { openStrictIam } from './aws-iam/strict-iam.ts';
import { openStrictApi } from './cloudflare-r2/strict-api.ts';
import { withoutPatience } from './without-patience.ts';

export function providerAt(kind: ProviderKind, account: string, providerUrl: string | undefined, endpointUrl: string): Provider {
  return openProvider(kind, {
    account,
    providerUrl,
    endpointUrl,
    region: undefined,
    patience: withoutPatience(),
    limitMilliseconds: 1000,
    wait: async () => undefined,
  });
}

/** The stand-ins of Cloudflare's API and of R2. */
export async function openStandIns(): Promise<OpenedProvider> {
  const store = await openStrictStore({ region: 'auto', buckets: ['artifacts', 'payroll'] });
  const api = await openStrictApi({ store });
  const provider = providerAt('cloudflare-r2', api.account, api.url, store.url);
  return {
    provider,
    authority: secretOf(api.addToken().value),
    bucket: 'artifacts',
    otherBucket: 'payroll',
    async [Symbol.asyncDispose]() {
      await provider.close();
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** The stand-ins of AWS's IAM and of S3. */
export async function openIamStandIns(): Promise<OpenedProvider> {
  const store = await openStrictStore({ buckets: ['artifacts', 'payroll'] });
  const iam = await openStrictIam({ store });
  const provider = providerAt('aws-iam', iam.account, iam.url, store.url);
  return {
    provider,
    authority: secretOf(iam.addUser()),
    bucket: 'artifacts',
    otherBucket: 'payroll',
    async [Symbol.asyncDispose]() {
      await provider.close();
      await iam[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Keys that were made elsewhere, at the stand-in of a store. */
export async function openStatic(): Promise<OpenedProvider> {
  const store = await openStrictStore({ buckets: ['artifacts', 'payroll'] });
  const provider = providerAt('static', 'by hand', undefined, store.url);
  return {
    provider,
    authority: secretOf(`${store.accessKeyId}:${store.secretAccessKey}`),
    bucket: 'artifacts',
    otherBucket: 'payroll',
    async [Symbol.asyncDispose]() {
      await provider.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

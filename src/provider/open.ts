import { ArtifactstoreError } from '../kernel/error.ts';
import { isLoopback, parseHttpUrl } from '../protocol/http-url.ts';
import { awsIam } from './aws-iam/driver.ts';
import { cephAdmin } from './ceph-admin.ts';
import { cloudflareR2 } from './cloudflare-r2/driver.ts';
import type { OpenOptions } from './open-options.ts';
import type { Provider, ProviderKind } from './PROVIDER.ts';
import { staticKeys } from './static.ts';

const drivers: Readonly<Record<ProviderKind, (options: OpenOptions) => Provider>> = {
  'cloudflare-r2': cloudflareR2,
  'aws-iam': awsIam,
  'ceph-admin': cephAdmin,
  static: staticKeys,
};

/** Nothing is asked for yet. Errors: `invalid_configuration` for an address, `authority_unusable` for an account. */
export function openProvider(kind: ProviderKind, options: OpenOptions): Provider {
  const providerUrl = checkedUrl(options.providerUrl, '--provider-url');
  const endpointUrl = checkedUrl(options.endpointUrl, '--endpoint');
  return drivers[kind]({ ...options, providerUrl, endpointUrl });
}

/** Keys are never sent where the way could be listened to. */
function checkedUrl(text: string | undefined, field: string): string | undefined {
  if (text === undefined) return undefined;
  try {
    const url = parseHttpUrl(text);
    if (url.startsWith('http:') && !isLoopback(new URL(url).hostname)) throw new Error('http is for this machine alone: use https');
    return url;
  } catch (error) {
    throw new ArtifactstoreError('invalid_configuration', `${field}: ${(error as Error).message}.`, { field, cause: error });
  }
}

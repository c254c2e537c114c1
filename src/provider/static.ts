import type { Secret } from '../secrets/secret.ts';
import { parseKeyPair } from './key-pair.ts';
import type { OpenOptions } from './open-options.ts';
import type { Provider } from './PROVIDER.ts';
import { unusableAuthority } from './refusal.ts';
import { proveAtS3 } from './s3-proof.ts';

/** Keys that somebody else made, at a store whose control plane is not known: they can be proved and nothing else. */
export function staticKeys({ account, endpointUrl, region, patience }: OpenOptions): Provider {
  if (endpointUrl === undefined)
    throw unusableAuthority('malformed', 'Keys that were made elsewhere need the address of their store', 'give it with --endpoint');
  return {
    kind: 'static',
    place: `${endpointUrl}, ${account}`,
    capabilities: { narrowest: 'given', expiry: false, authorityForm: 'ACCESS_KEY_ID:SECRET_ACCESS_KEY' },
    async verify(authority: Secret) {
      const { accessKeyId } = parseKeyPair(authority);
      return { subject: accessKeyId, account, granted: [] };
    },
    prove: (keys, scope, outside) => proveAtS3({ endpointUrl, region: region ?? 'us-east-1' }, keys, scope, outside, patience),
    async close() {},
  };
}

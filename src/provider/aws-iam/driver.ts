import { createAsker } from '../ask.ts';
import type { OpenOptions } from '../open-options.ts';
import type { Provider } from '../PROVIDER.ts';
import { notAnAccount, unusableAuthority } from '../refusal.ts';
import { proveAtS3 } from '../s3-proof.ts';
import { createApi } from './api.ts';
import { issuer } from './issuer.ts';
import { partitionOf } from './partition.ts';
import { verify } from './verify.ts';

/**
 * IAM as AWS has it, and Ceph gateways since 19. Minted keys are those of a user of the account that is made for them
 * alone, named by the label, with one inline policy: a bucket, or a prefix of it, until their life ends.
 */
export function awsIam({
  account,
  providerUrl,
  endpointUrl,
  region = 'us-east-1',
  patience,
  limitMilliseconds,
  wait,
}: OpenOptions): Provider {
  if (!/^(\d{12}|RGW\d{17})$/.test(account))
    throw unusableAuthority(
      'malformed',
      notAnAccount,
      'it has 12 digits, and at a Ceph gateway RGW and 17 digits: `radosgw-admin account list`',
    );
  const partition = partitionOf(region);
  const address = providerUrl ?? partition.address;
  const place = `${address}, account ${account}`;
  const { signal } = patience;
  const asker = createAsker({ place, address, answerMilliseconds: 15_000, limitMilliseconds, wait, signal });
  // A gateway of one's own has one address for both, and takes the signature of its own region.
  const signingRegion = providerUrl === undefined || partition.name !== 'aws' ? partition.signingRegion : region;
  const api = createApi({ asker, place, address, region: signingRegion, limitMilliseconds, wait, signal });
  const objects = { endpointUrl: endpointUrl ?? providerUrl ?? `https://s3.${region}.${partition.domain}`, region };
  return {
    kind: 'aws-iam',
    place,
    capabilities: { narrowest: 'prefix', expiry: true, authorityForm: 'ACCESS_KEY_ID:SECRET_ACCESS_KEY of a user that may make users' },
    verify: (authority, bucket) => verify({ api, account, place, objects, signal }, authority, bucket),
    prove: (keys, scope, outside) => proveAtS3(objects, keys, scope, outside, patience),
    issuer: issuer(api, place, partition.name),
    close: () => asker.close(),
  };
}

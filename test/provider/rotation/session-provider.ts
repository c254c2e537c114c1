import { randomBytes } from 'node:crypto';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { documentNames, writePair } from '../../../src/provider/documents.ts';
import { parseKeyPair } from '../../../src/provider/key-pair.ts';
import type { Provider } from '../../../src/provider/PROVIDER.ts';
import { proveAtS3 } from '../../../src/provider/s3-proof.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import type { RealStore } from '../../stores/store.ts';
import { withoutPatience } from '../without-patience.ts';
import type { Gate } from './gate.ts';

/**
 * A provider for tests whose keys are sessions of STS (AssumeRole with a policy of one bucket), ended at the gate. The
 * authority is the store's own user.
 */
export function sessionProvider(store: RealStore, gate: Gate): Provider {
  const { url: endpointUrl, region } = store;
  const minted = new Map<string, string>();
  return {
    kind: 'static',
    place: endpointUrl,
    capabilities: { narrowest: 'bucket', expiry: true, authorityForm: 'ACCESS_KEY_ID:SECRET_ACCESS_KEY' },
    async verify(authority, bucket) {
      const { accessKeyId: subject } = parseKeyPair(authority);
      return { subject, account: 'by hand', granted: [], ...(bucket === undefined ? {} : { bucketIsThere: true }) };
    },
    prove: (keys, scope, outside) => proveAtS3({ endpointUrl, region }, keys, scope, outside, withoutPatience(5000)),
    issuer: {
      async mint(authority, { label, scope }) {
        const client = new STSClient({ endpoint: endpointUrl, region, credentials: parseKeyPair(authority) });
        const statement = (action: string, resource: string) => ({
          Effect: 'Allow',
          Action: [action],
          Resource: [`arn:aws:s3:::${resource}`],
        });
        const Statement = [statement('s3:*', `${scope.bucket}/*`), statement('s3:*', scope.bucket)];
        const asked = new AssumeRoleCommand({
          ...{ RoleArn: 'arn:aws:iam::000000000000:role/none', RoleSessionName: randomBytes(6).toString('hex'), DurationSeconds: 3600 },
          Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
        });
        const { Credentials: given } = await client.send(asked).finally(() => client.destroy());
        minted.set(label, given!.AccessKeyId!);
        return {
          id: label,
          accessKeyId: given!.AccessKeyId!,
          secretAccessKey: secretOf(given!.SecretAccessKey!),
          sessionToken: secretOf(given!.SessionToken!),
          expiresAtMilliseconds: given!.Expiration!.getTime(),
        };
      },
      find: async (_authority, labelPrefix) => [...minted.keys()].filter((label) => label.startsWith(labelPrefix)),
      async revoke(_authority, id) {
        const accessKeyId = minted.get(id);
        if (accessKeyId === undefined) return 'absent';
        gate.end(accessKeyId);
        minted.delete(id);
        return 'revoked';
      },
      howToRevoke: (id) => `nothing ends ${id} but its time`,
    },
    async close() {},
  };
}

export async function keepPair(secrets: Secrets, { keys: { accessKeyId, secretAccessKey } }: RealStore): Promise<void> {
  const value = secretOf(`${accessKeyId}:${secretAccessKey}`);
  const tokens = (['a', 'b'] as const).map((slot) => ({
    slot,
    subject: `${accessKeyId}-${slot}`,
    value,
    expiresAtMilliseconds: undefined,
  }));
  const pair = writePair({ provider: 'static', account: 'by hand', providerUrl: undefined, storeId: undefined, tokens });
  await secrets.writer!.put(documentNames.pair, pair, undefined);
}

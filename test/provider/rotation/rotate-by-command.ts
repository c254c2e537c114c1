import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import type { ProviderKind } from '../../../src/provider/PROVIDER.ts';
import type { Workplace } from '../../cli/workplace.ts';
import type { StoreKeys } from '../../stores/store.ts';

export interface RotatedAccount {
  readonly provider: ProviderKind;
  readonly account: string;
  /** Of the control plane, and of the objects unless these are elsewhere. */
  readonly url: string;
  readonly endpoint?: string;
  readonly bucket: string;
  readonly otherBucket: string;
  readonly prefix?: string;
  readonly authorities: readonly [StoreKeys, StoreKeys];
}

/** Imports the pair; the answer rotates once, both as an operator does. */
export async function rotateByCommand(
  place: Workplace,
  secretsPath: string,
  account: RotatedAccount,
): Promise<(overlapSeconds: number) => Promise<void>> {
  const { provider, account: id, url, bucket, otherBucket, prefix = '', authorities, endpoint = url } = account;
  const names = ['a.token', 'b.token'] as const;
  for (const [index, name] of names.entries()) {
    const { accessKeyId, secretAccessKey } = authorities[index as 0 | 1];
    place.write({ [name]: `${accessKeyId}:${secretAccessKey}\n` });
    chmodSync(place.path(name), 0o600);
  }
  const at = ['--store', `file:${secretsPath}`, '--provider-url', url, '--endpoint', endpoint, '--propagation-seconds', '5'];
  const run = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await place.run('provider', ...args, ...at);
    assert.equal(code, 0, stderr);
  };
  await run(
    'import-admin-pair',
    '--create',
    '--provider',
    provider,
    '--account',
    id,
    '--bucket',
    bucket,
    ...names.flatMap((name) => ['--token-file', name]),
  );
  const scope = ['--bucket', bucket, ...(prefix === '' ? [] : ['--prefix', prefix]), '--other-bucket', otherBucket];
  return (overlapSeconds: number) => run('rotate', ...scope, '--overlap', String(overlapSeconds));
}

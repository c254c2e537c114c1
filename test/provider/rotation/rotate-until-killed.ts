import type { ProviderKind } from '../../../src/provider/PROVIDER.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import { directorySecrets } from '../../../src/secrets/directory.ts';
import { providerAt } from '../opened.ts';
import { withoutPatience } from '../without-patience.ts';
import { killerAfter } from './killed.ts';

/** One rotation in a process of its own, which is killed behind the n-th thing that it did. Told by a JSON argument. */
export interface Told {
  readonly kind: ProviderKind;
  readonly account: string;
  readonly providerUrl: string;
  readonly endpointUrl: string;
  readonly secretsPath: string;
  readonly count: number;
}

const { kind, account, providerUrl, endpointUrl, secretsPath, count } = JSON.parse(process.argv[2] ?? '') as Told;
const patience = withoutPatience();
const provider = providerAt(kind, account, providerUrl, endpointUrl);
const killer = killerAfter(count, () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
});
const report = await rotate({
  provider: killer.provider(provider),
  secrets: killer.secrets(directorySecrets(secretsPath)),
  scope: { bucket: 'artifacts', prefix: '' },
  otherBucket: 'payroll',
  lifetimeMilliseconds: 3_600_000,
  overlapMilliseconds: 0,
  patience,
  now: Date.now,
});
console.log(JSON.stringify(report));
await provider.close();

import { ArtifactstoreError } from '../../../src/kernel/error.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import type { Secret } from '../../../src/secrets/secret.ts';

/** A store that nothing has to be written to a disk for. */
export function memorySecrets(): Secrets {
  const kept = new Map<string, { readonly value: Secret; readonly version: string }>();
  let last = 0;
  return {
    place: 'memory',
    get: async (name) => kept.get(name),
    list: async () => [...kept.keys()].sort(),
    writer: {
      async put(name, value, expected) {
        if (kept.get(name)?.version !== expected) throw new ArtifactstoreError('secret_conflict', 'It is not what it was.');
        last += 1;
        kept.set(name, { value, version: String(last) });
        return String(last);
      },
      probeWrite: async () => undefined,
    },
    close: async () => undefined,
  };
}

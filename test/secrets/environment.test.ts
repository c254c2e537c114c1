import { secretsConformance } from '../../src/secrets/conformance.ts';
import { openSecrets } from '../../src/secrets/open.ts';

secretsConformance('environment', async () => {
  const environment: Record<string, string> = {};
  return {
    secrets: openSecrets({ kind: 'environment' }, { environment, auth: { method: 'token', tokenRef: 'env:NONE' }, namespace: undefined }),
    seed: async (values) => void Object.assign(environment, values),
    close: async () => undefined,
  };
});

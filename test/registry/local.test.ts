import { registryConformance } from '../../src/registry/conformance.ts';
import { openTestRegistry } from './open-registry.ts';

registryConformance('in process, SQLite and local disk', async () => {
  const store = await openTestRegistry();
  return { registry: store.as('tester'), as: store.as, close: () => store.close() };
});

registryConformance('in process, sha256 as the primary digest, every file into its backend first', async () => {
  const store = await openTestRegistry({ ARTIFACTSTORE_DIGEST_ALGORITHM: 'sha256', ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' });
  return { registry: store.as('tester'), as: store.as, close: () => store.close() };
});

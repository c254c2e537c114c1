import { registryConformance } from '../../src/registry/conformance.ts';
import { openServer } from './open-server.ts';

registryConformance('over HTTP', async () => {
  const server = await openServer();
  return { registry: server.connect(), as: server.connectAs, close: () => server.close() };
});

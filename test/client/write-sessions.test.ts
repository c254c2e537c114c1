import { writeSessionsConformance } from '../../src/registry/conformance/write-sessions.ts';
import { openServer } from './open-server.ts';

writeSessionsConformance('over HTTP', async () => {
  const server = await openServer();
  return { registry: server.connect(), as: server.connectAs, close: () => server.close() };
});

import type { RemoteRegistry } from '../../src/client/connect.ts';
import { connectRegistry } from '../../src/client/connect.ts';
import { accessConformance } from '../../src/registry/conformance/access.ts';
import { createPrincipals } from '../doors/rest/access/principals.ts';
import { openDoor } from '../doors/rest/open-door.ts';

accessConformance('over HTTP', async () => {
  const callers = createPrincipals();
  const door = await openDoor({ identity: callers.identity });
  const connected: RemoteRegistry[] = [];
  return {
    as(principal) {
      const registry = connectRegistry({ url: door.url, token: callers.tokenOf(principal) });
      connected.push(registry);
      return registry;
    },
    async close() {
      for (const registry of connected) await registry.close();
      await door[Symbol.asyncDispose]();
    },
  };
});

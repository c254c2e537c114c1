import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRegistry, type RemoteRegistry } from '../../src/client/connect.ts';
import { openStore, type Store } from '../../src/compose/open-store.ts';
import { readConfig } from '../../src/config/config.ts';
import { createServer } from '../../src/doors/rest/server.ts';
import { createLog } from '../../src/http/log.ts';
import type { Identity } from '../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../src/identity/open.ts';

export interface OpenServer {
  readonly url: string;
  readonly token: string;
  readonly store: Store;
  readonly directory: string;
  connect(): RemoteRegistry;
  close(): Promise<void>;
}

/**
 * A real server over SQLite and a local directory, in a folder of its own; callers are those of `identity`, or the one
 * with the token where absent.
 */
export async function openServer(options: { readonly identity?: Identity } = {}): Promise<OpenServer> {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-client-'));
  const token = 'client-test-token';
  const store = await openStore(readConfig({}, { directory }), { migrate: true });
  const server = await createServer({
    registryFor: store.as,
    identity: options.identity ?? (await openIdentity({ tokens: [{ token, actor: 'tester' }] })),
    secrets: [token],
    anonymousRead: false,
    version: '0.0.0-test',
    log: createLog({ level: 'silent', stream: { write: () => undefined } }),
  });
  const url = await server.listen('127.0.0.1', 0);
  const connected: RemoteRegistry[] = [];
  return {
    url,
    token,
    store,
    directory,
    connect() {
      const registry = connectRegistry({ url, token });
      connected.push(registry);
      return registry;
    },
    async close() {
      for (const registry of connected) await registry.close();
      await server.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

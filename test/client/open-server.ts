import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRegistry, type RemoteRegistry } from '../../src/client/connect.ts';
import { openStore, type Store } from '../../src/compose/open-store.ts';
import { readConfig } from '../../src/config/config.ts';
import { createServer } from '../../src/doors/rest/server.ts';
import { createLog } from '../../src/http/log.ts';
import type { Identified, Identity } from '../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../src/identity/open.ts';
import type { Principal } from '../../src/kernel/access.ts';
import { removeFolder } from '../remove-folder.ts';

export interface OpenServer {
  readonly url: string;
  readonly token: string;
  readonly store: Store;
  readonly directory: string;
  connect(): RemoteRegistry;
  /** With a token of that principal's. */
  connectAs(principal: Principal): RemoteRegistry;
  close(): Promise<void>;
}

/**
 * A real server over SQLite and a local directory, in a folder of its own; callers are those of `identity`, or the one
 * with the token where absent.
 */
export async function openServer(
  options: {
    readonly identity?: Identity;
    readonly environment?: Readonly<Record<string, string>>;
    /** Told of all that the server would log, and of incidents; nobody where absent. */
    readonly onLog?: (line: string) => void;
  } = {},
): Promise<OpenServer> {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-client-'));
  const token = 'client-test-token';
  const others = new Map<string, Identified>();
  const ofServer = options.identity ?? (await openIdentity({ tokens: [{ token, actor: 'tester' }] }));
  const { quotaOf } = ofServer;
  const { onLog = () => undefined } = options;
  const store = await openStore(readConfig(options.environment ?? {}, { directory }), {
    migrate: true,
    ...(quotaOf === undefined ? {} : { quotaOf }),
    onIncident: (incident) => onLog(JSON.stringify([incident, String(incident.error)])),
  });
  const server = await createServer({
    registryFor: store.as,
    identity: { ...ofServer, identify: (shown) => others.get(shown) ?? ofServer.identify(shown) },
    secrets: [token],
    anonymousRead: false,
    version: '0.0.0-test',
    log: createLog({ level: options.onLog === undefined ? 'silent' : 'debug', stream: { write: onLog } }),
  });
  const url = await server.listen('127.0.0.1', 0);
  const connected: RemoteRegistry[] = [];
  const connectWith = (shown: string): RemoteRegistry => {
    const registry = connectRegistry({ url, token: shown });
    connected.push(registry);
    return registry;
  };
  return {
    url,
    token,
    store,
    directory,
    connect: () => connectWith(token),
    connectAs(principal) {
      const shown = `client-test-token-${others.size}`;
      others.set(shown, { principal, by: 'token of the test', expiresAt: null });
      return connectWith(shown);
    },
    async close() {
      for (const registry of connected) await registry.close();
      await server.close();
      await store.close();
      await removeFolder(directory);
    },
  };
}

import type { RemoteRegistry } from '../../src/client/connect.ts';
import { openServer } from '../client/open-server.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** A workplace whose commands talk to a server in this process. */
export interface ServedWorkplace extends AsyncDisposable {
  readonly place: Workplace;
  readonly url: string;
  /** The same server, by the library. */
  readonly registry: RemoteRegistry;
}

export async function openServedWorkplace(): Promise<ServedWorkplace> {
  const server = await openServer();
  const place = openWorkplace({ ARTIFACTSTORE_API_URL: server.url, ARTIFACTSTORE_API_TOKEN: server.token });
  return {
    place,
    url: server.url,
    registry: server.connect(),
    async [Symbol.asyncDispose]() {
      place[Symbol.dispose]();
      await server.close();
    },
  };
}

import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In front of a store: lets everything through but requests with keys that were ended. */
export interface Gate extends AsyncDisposable {
  readonly url: string;
  /** Access key ids that were ended here. */
  end(accessKeyId: string): void;
}

/**
 * MinIO has no call of S3 or STS that ends a session before its time, which is a quarter of an hour at least. So this
 * refuses ended ones as a store does that knows them no more; all else is MinIO's own answer, signatures included.
 */
export async function openGate(storeUrl: string): Promise<Gate> {
  const { hostname, port } = new URL(storeUrl);
  const ended = new Set<string>();
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });

  function handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const [, keyId = ''] = /Credential=([^/]+)\//.exec(incoming.headers.authorization ?? '') ?? [];
    if (ended.has(keyId)) {
      incoming.resume();
      const body = '<Error><Code>InvalidAccessKeyId</Code><Message>The access key was ended.</Message></Error>';
      outgoing.writeHead(403, { 'content-type': 'application/xml', connection: 'close' }).end(body);
      return;
    }
    const { method, url: path, headers } = incoming;
    const onward = request({ hostname, port, agent, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => void incoming.socket.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) onward.destroy();
    });
    incoming.pipe(onward);
  }

  const server = createServer({ requestTimeout: 0 }, handle);
  // MinIO asks for the body itself.
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.writeContinue();
    delete incoming.headers.expect;
    handle(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    end: (accessKeyId) => void ended.add(accessKeyId),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

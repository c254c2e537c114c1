import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/**
 * A small State Hub: a real HTTP server that keeps progress events in memory, for trying things out and for tests.
 * `node tools/state-hub.ts [--port 8010]` prints each event that it gets.
 */
export interface StandInStateHub extends AsyncDisposable {
  readonly url: string;
  /** Those that it keeps, as they were sent. */
  readonly events: readonly Record<string, unknown>[];
  /** Every request's method and path, with its Idempotency-Key where it has one. */
  readonly requests: readonly { readonly method: string; readonly path: string; readonly key: string | undefined }[];
  /** How it behaves from now on. */
  readonly ways: StateHubWays;
  /** Stops listening, and listens again at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface StateHubWays {
  /** Whether `GET /progress/` answers. */
  canBeAsked: boolean;
  /** Whether a repeated Idempotency-Key is one event. */
  knowsKeys: boolean;
  /** So many events are kept without an answer: the connection breaks off. */
  answersToLose: number;
  /** So many requests are answered 503. */
  timesBusy: number;
  /** Instead of keeping an event. */
  refusal: { readonly status: number; readonly text: string } | undefined;
  /** Before an event is kept. */
  delayMilliseconds: number;
}

export interface StateHubOptions {
  /** The system chooses one where absent. */
  readonly port?: number;
  readonly onEvent?: (event: unknown) => void;
}

export async function startStateHub(options: StateHubOptions = {}): Promise<StandInStateHub> {
  const events: Record<string, unknown>[] = [];
  const requests: { method: string; path: string; key: string | undefined }[] = [];
  const keys = new Set<string>();
  const ways: StateHubWays = {
    canBeAsked: true,
    knowsKeys: false,
    answersToLose: 0,
    timesBusy: 0,
    refusal: undefined,
    delayMilliseconds: 0,
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const key = request.headers['idempotency-key'] as string | undefined;
    requests.push({ method: request.method ?? '', path: url.pathname, key });
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (url.pathname !== '/progress/') return answer(404, { detail: 'Not Found' });
    if (ways.timesBusy > 0) {
      ways.timesBusy -= 1;
      return answer(503, {});
    }
    if (request.method === 'GET') {
      if (!ways.canBeAsked) return answer(405, { detail: 'Method Not Allowed' });
      const terms = [...url.searchParams];
      return answer(
        200,
        events.filter((event) => terms.every(([name, value]) => event[name] === value)),
      );
    }
    if (ways.refusal !== undefined) {
      response.writeHead(ways.refusal.status).end(ways.refusal.text);
      return;
    }
    await sleep(ways.delayMilliseconds);
    const isNew = !(ways.knowsKeys && key !== undefined && keys.has(key));
    if (isNew) {
      const event = JSON.parse(Buffer.concat(chunks).toString());
      events.push(event);
      options.onEvent?.(event);
    }
    if (key !== undefined) keys.add(key);
    if (ways.answersToLose > 0) {
      ways.answersToLose -= 1;
      response.destroy();
      return;
    }
    answer(201, { id: events.length });
  }

  const open = (port: number) =>
    new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
      const server = createServer((request, response) => void handle(request, response));
      server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
    });
  let server = await open(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    events,
    requests,
    ways,
    stop,
    async start() {
      server = await open(port);
    },
    [Symbol.asyncDispose]: stop,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8010' } } });
  const { url } = await startStateHub({ port: Number(values.port), onEvent: (event) => console.log(JSON.stringify(event, null, 2)) });
  console.log(`a stand-in for State Hub listens on ${url}`);
}

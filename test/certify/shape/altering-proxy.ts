import { request as ask, createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** What is done to what is asked, instead of passing it on, and to what is told. Undefined leaves it as it is. */
export interface Alterations {
  instead?(asked: Asked): Told | undefined | Promise<Told | undefined>;
  after?(asked: Asked, told: Told): Told | undefined;
}

export interface AlteringProxy extends AsyncDisposable {
  readonly url: string;
}

/** In front of a store: passes everything on, its signed Host too, and alters some of it. */
export async function openAlteringProxy(target: string, { instead, after }: Alterations): Promise<AlteringProxy> {
  const { port } = new URL(target);
  const server = createServer();
  const handle: Parameters<typeof createServer>[1] & {} = async (request, response) => {
    const chunks: Buffer[] = [];
    if (request.headers.expect !== undefined) response.writeContinue();
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', target);
    const asked: Asked = { method: request.method ?? '', path: url.pathname, query: url.searchParams, headers: request.headers };
    const own = await instead?.(asked);
    const told = own ?? (await pass(request, Buffer.concat(chunks)).catch(() => undefined));
    // The store is gone, or whoever asked is.
    if (told === undefined) return void request.socket.destroy();
    const { status, headers, body } = own === undefined ? (after?.(asked, told) ?? told) : told;
    const length = asked.method === 'HEAD' ? String(headers['content-length'] ?? 0) : String(body.length);
    const left = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || framing.has(name) ? [] : [[name, [value].flat().join(', ')] as const],
    );
    const framed = status === 204 || status === 304 ? {} : { 'content-length': length };
    response.writeHead(status, { ...Object.fromEntries(left), ...framed });
    response.end(body);
  };
  const pass = (request: Parameters<typeof handle>[0], body: Buffer): Promise<Told> =>
    new Promise((resolve, reject) => {
      const { expect: _, ...headers } = request.headers;
      const { method, url: path } = request;
      const onward = ask({ host: '127.0.0.1', port, method, path, headers, agent: false }, async (answer) => {
        const parts: Buffer[] = [];
        for await (const part of answer) parts.push(part as Buffer);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
      });
      onward.on('error', reject);
      onward.end(body);
    });
  server.on('request', handle);
  server.on('checkContinue', handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A refusal in the XML of a store. */
export function refusal(status: number, code: string): Told {
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(`<Error><Code>${code}</Code></Error>`) };
}

const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection']);

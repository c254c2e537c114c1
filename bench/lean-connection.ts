import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';

export interface LeanAnswer {
  readonly status: number;
  readonly location: string | undefined;
}

/**
 * A kept connection that sends one request after the other, and looks at little of the answers: a load generator on the
 * same cores must cost less than what is measured. Answers with chunked bodies are not understood.
 */
export interface LeanConnection extends Disposable {
  send(method: string, path: string, headers: Readonly<Record<string, string>>, body?: Uint8Array): Promise<LeanAnswer>;
}

export async function openLeanConnection(url: string): Promise<LeanConnection> {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  let answer = Promise.withResolvers<LeanAnswer>();
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end))?.[1] ?? 0);
    if (received.length < end + 4 + length) return;
    const head = received.slice(0, end);
    received = '';
    answer.resolve({ status: Number(head.slice(9, 12)), location: /\r\nlocation: *(\S+)/i.exec(head)?.[1] });
  });
  socket.on('error', (error) => answer.reject(error));
  socket.on('close', () => answer.reject(new Error(`${url} closed the connection`)));
  return {
    async send(method, path, headers, body) {
      answer = Promise.withResolvers();
      const lines = Object.entries({ host, 'content-length': String(body?.length ?? 0), ...headers });
      socket.cork();
      socket.write(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`, 'latin1');
      if (body !== undefined) socket.write(body);
      socket.uncork();
      return await answer.promise;
    },
    [Symbol.dispose]() {
      answer.promise.catch(() => undefined);
      socket.destroy();
    },
  };
}

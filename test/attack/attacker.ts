import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What attacks use: requests whose answers are counted, and connections on which anything can be done. */
export interface Attacker {
  readonly url: string;
  readonly port: number;
  /** Of a writer who means no good. */
  readonly token: string;
  /** Ends the attack. */
  readonly signal: AbortSignal;
  count(outcome: string): void;
  /** Something that must not happen. */
  fault(text: string): void;
  /** A request with the token. The answer's JSON, or undefined where it is none or the connection broke. */
  call(method: string, path: string, body?: object | string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** From that address of this machine. Undefined when the server takes no connection. */
  open(from?: string): Promise<Socket | undefined>;
  /** Sends on a connection of its own, reads for so long or until the server closes it, and tells what came. */
  talk(bytes: string | Uint8Array, milliseconds?: number): Promise<string>;
  /** So many connections that send this and never read, for so long; each from the next of the addresses. */
  ignore(connections: number, bytes: string, milliseconds: number, from?: readonly string[]): Promise<void>;
  pause(milliseconds: number): Promise<void>;
}

export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Attack = (attacker: Attacker) => Promise<void>;

/** What a server may refuse anybody with and still be well; always with `Retry-After`. */
export const statedRefusals: ReadonlySet<unknown> = new Set(['too_busy', 'cancelled']);

export interface Told {
  count(attack: string, outcome: string): void;
  fault(text: string): void;
}

export function createAttacker(attack: string, { url, token }: Pick<Attacker, 'url' | 'token'>, signal: AbortSignal, told: Told): Attacker {
  const port = Number(new URL(url).port);
  const count = (outcome: string): void => told.count(attack, outcome);
  const fault = (text: string): void => told.fault(`${attack}: ${text}`);

  async function open(from = '127.0.0.1'): Promise<Socket | undefined> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    const end = (): void => void socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', end));
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(socket));
      // It stays, since an error without anybody who hears it ends this process.
      socket.on('error', ({ message }) => {
        count(/ECONN(RESET|REFUSED)|EPIPE/.exec(message)?.[0] ?? 'broken');
        resolve(undefined);
      });
      socket.once('close', () => resolve(undefined));
    });
  }

  return {
    url,
    port,
    token,
    signal,
    count,
    fault,
    open,
    async call(method, path, body, headers = {}) {
      const isBytes = typeof body === 'string' || body instanceof Uint8Array;
      const type = body === undefined || isBytes ? {} : { 'content-type': 'application/json' };
      const init = {
        method,
        headers: { authorization: `Bearer ${token}`, ...type, ...headers },
        body: body === undefined ? null : isBytes ? (body as string) : JSON.stringify(body),
        signal,
      };
      let status = 0;
      try {
        const response = await fetch(`${url}${path}`, init);
        ({ status } = response);
        count(String(status));
        const text = await response.text();
        const answer = text !== '' && /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {};
        const isRefusal = status === 503 && response.headers.has('retry-after') && statedRefusals.has(answer.code);
        if (status >= 500 && !isRefusal)
          fault(`${method} ${path.slice(0, 500)} ${String(init.body).slice(0, 500)} was answered ${status} ${text.slice(0, 1000)}`);
        return { status, body: answer };
      } catch (error) {
        count(signal.aborted ? 'given up' : (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? 'broken'));
        return { status: 0, body: {} };
      }
    },
    async talk(bytes, milliseconds = 2000) {
      const socket = await open();
      if (socket === undefined) return '';
      const parts: Buffer[] = [];
      socket.on('data', (part: Buffer) => parts.push(part));
      socket.write(bytes);
      await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(milliseconds)]);
      if (!socket.closed) count('left open');
      socket.destroy();
      const text = Buffer.concat(parts).toString('latin1');
      for (const [line, status] of text.matchAll(/^HTTP\/1\.1 (\d{3}) .*$/gm)) {
        count(status!);
        if (Number(status) >= 500 && !/"code":"(too_busy|cancelled)"/.test(text)) fault(`${String(bytes).slice(0, 500)} got ${line}`);
      }
      return text;
    },
    async ignore(connections, bytes, milliseconds, from = ['127.0.0.1']) {
      const sockets = await Promise.all(Array.from({ length: connections }, (_, index) => open(from[index % from.length])));
      for (const socket of sockets) {
        socket?.pause();
        if (socket?.write(bytes) !== undefined) count('not read');
      }
      await pause(milliseconds, signal);
      for (const socket of sockets) socket?.destroy();
    },
    pause: async (milliseconds) => await pause(milliseconds, signal),
  };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

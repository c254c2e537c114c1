import { Readable } from 'node:stream';
import { Agent, errors } from 'undici';
import { isLoopback } from '../../protocol/http-url.ts';
import type { WriteHandle } from '../../registry/REGISTRY.ts';
import { cancelled, throwIfStopped } from '../../runtime/stop.ts';
import { isConnectionFailure } from './connection-error.ts';

/**
 * What a store said to the bytes of an object. `taken`: it has them, also where it had them before. `refused`: not by
 * this address. `unavailable`: no answer, or one that says nothing about the bytes.
 */
export type StoreAnswer = 'taken' | 'refused' | 'unavailable';

/** Writes the bytes of an object to a store, by the address that a server gave for them. */
export interface StorePut {
  /**
   * Whether the address is one that is written to: of another than the server, by https, or on this machine where the
   * server is on it too, so that no other one chooses what is written to here. An object with another address goes to
   * the server.
   */
  takes(handle: WriteHandle): boolean;
  /**
   * Sends what the handle says, and nothing else: no token, no cookie; a redirect is not followed. Errors: `cancelled`,
   * and whatever the body throws. Nothing that it throws or answers has the address, which is a secret.
   */
  send(handle: WriteHandle, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<StoreAnswer>;
  close(): Promise<void>;
}

export function createStorePut(server: string, connections = 64): StorePut {
  const own = new URL(server);
  const agent = new Agent({ connections, keepAliveTimeout: 30_000, connect: { timeout: 10_000 } });

  return {
    takes({ url }) {
      const address = URL.parse(url);
      if (address === null || address.origin === own.origin || address.username !== '' || address.password !== '') return false;
      if (isLoopback(address.hostname)) return isLoopback(own.hostname);
      return address.protocol === 'https:';
    },

    async send({ method, url, headers }, open, signal) {
      throwIfStopped(signal);
      const { origin, pathname, search } = new URL(url);
      let failed: { readonly error: unknown } | undefined;
      /** What its reader throws into it, such as a connection that was cut, is not the failure of the bytes. */
      async function* watched(): AsyncGenerator<Uint8Array> {
        const chunks = open()[Symbol.asyncIterator]();
        const read = () =>
          chunks.next().catch((error: unknown) => {
            failed = { error };
            throw error;
          });
        try {
          for (let next = await read(); next.done !== true; next = await read()) yield next.value;
        } finally {
          await chunks.return?.();
        }
      }
      const body = Readable.from(watched(), { objectMode: false, highWaterMark: 1_048_576 });
      try {
        const answer = await agent.request({ origin, path: `${pathname}${search}`, method, headers, body, signal: signal ?? null });
        await answer.body.dump({ limit: longestAnswer }).catch(() => undefined);
        return meaning(answer.statusCode, headers);
      } catch (error) {
        if (signal?.aborted === true) throw cancelled(signal);
        if (failed !== undefined) throw failed.error;
        if (isConnectionFailure(error)) return 'unavailable';
        // What the handle says cannot be sent.
        if (error instanceof errors.UndiciError) return 'refused';
        throw error;
      } finally {
        body.destroy();
      }
    },

    close: () => agent.destroy(),
  };
}

/** By RFC 9110 section 13.1.2 a 412 says that there is an object, and only these bytes can be at this address. */
function meaning(status: number, headers: WriteHandle['headers']): StoreAnswer {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 412 && headers['if-none-match'] === '*') return 'taken';
  return status === 408 || status === 409 || status === 429 || status >= 500 ? 'unavailable' : 'refused';
}

/** Of what a store says beside its status. */
const longestAnswer = 65_536;

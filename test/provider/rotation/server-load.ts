import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Producers and readers of a server, over HTTP without a client that would try again: every answer counts. */
export interface ServerLoad extends AsyncDisposable {
  requests(): number;
  /** What did not get the answer that it must, so far. */
  failures(): readonly string[];
  /** Lets what has begun come to its end. */
  stop(): Promise<void>;
}

const mebibyte = 1_048_576;
const headers = { authorization: 'Bearer cli-test-token' };

/**
 * Two write and read what is put into a bucket in one request, one what waits in the log at first, one writes slowly in
 * parts and reads slowly: these take longer than the old keys live after a rotation.
 */
export async function beginServerLoad(url: string): Promise<ServerLoad> {
  const failures: string[] = [];
  let requests = 0;
  let isOver = false;
  let names = 0;

  async function ask(
    what: string,
    path: string,
    request: RequestInit & { duplex?: 'half' },
    status: number,
  ): Promise<Response | undefined> {
    requests += 1;
    try {
      const response = await fetch(`${url}${path}`, { ...request, headers: { ...headers, ...request.headers } });
      if (response.status === status) return response;
      failures.push(`${what}: ${response.status} ${await response.text()}`);
    } catch (error) {
      failures.push(`${what}: ${error} ${String((error as Error).cause)}`);
    }
    return undefined;
  }

  const made = await ask(
    'create',
    '/packages',
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'load', producer: 'load', subject: 'keys', retention_class: 'transient' }),
    },
    201,
  );
  if (made === undefined) throw new Error(failures.join('\n'));
  const { id } = (await made.json()) as { id: string };

  async function readBack(what: string, name: string, bytes: Buffer, pauseMilliseconds: number): Promise<void> {
    const response = await ask(what, `/packages/${id}/files/${name}`, {}, 200);
    if (response?.body == null) return;
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of response.body) {
        chunks.push(chunk);
        if (pauseMilliseconds > 0) await sleep(pauseMilliseconds);
      }
    } catch (error) {
      failures.push(`${what}: broken off: ${error}`);
      return;
    }
    if (!Buffer.concat(chunks).equals(bytes)) failures.push(`${what}: other bytes`);
  }

  async function whole(what: string, size: number): Promise<void> {
    while (!isOver) {
      const name = `${what}-${names++}`;
      const bytes = randomBytes(size);
      if ((await ask(`write ${what}`, `/packages/${id}/files/${name}`, { method: 'PUT', body: bytes }, 201)) !== undefined)
        await readBack(`read ${what}`, name, bytes, 0);
      await sleep(20);
    }
  }

  async function slow(): Promise<void> {
    while (!isOver) {
      const name = `slow-${names++}`;
      const bytes = randomBytes(11 * mebibyte);
      const body = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += mebibyte) {
          yield bytes.subarray(at, at + mebibyte);
          await sleep(450);
        }
      };
      const request = { method: 'PUT', body: ReadableStream.from(body()), duplex: 'half' } as const;
      if ((await ask('write slowly', `/packages/${id}/files/${name}`, request, 201)) !== undefined)
        await readBack('read slowly', name, bytes, 20);
    }
  }

  async function stop(): Promise<void> {
    isOver = true;
    await workers;
  }

  const workers = Promise.all([whole('object', 48_000), whole('object', 300_000), whole('small', 900), slow()]);
  return {
    requests: () => requests,
    failures: () => failures,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port that nobody listens on at this moment: for servers whose log, which says their port, nobody can read. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Waits until a server answers on this port, and gives its address; `patience` is how often it asks. */
export async function answering(port: number, patience = 800): Promise<string> {
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const status = await fetch(`${url}/livez`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return url;
    assert.ok(tries < patience, 'no server answered');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

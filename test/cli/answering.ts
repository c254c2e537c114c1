import assert from 'node:assert/strict';
import { freePorts } from '../stores/free-ports.ts';

/**
 * A port that nobody listens on at this moment: for servers whose log, which says their port, nobody can read, and for
 * those that are ended and started again at the same one.
 */
export function freePort(): Promise<number> {
  return freePorts(1);
}

/** Waits until a server answers on this port, and gives its address; `patience` is how often it asks. */
export async function answering(port: number, patience = 2_400): Promise<string> {
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

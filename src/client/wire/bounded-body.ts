import type { Dispatcher } from 'undici';
import { ArtifactstoreError } from '../../kernel/error.ts';

type Body = Dispatcher.ResponseData['body'];

/**
 * The chunks of an answer, as long as they come: a server that brings less than a KiB in each second of these `seconds`
 * is waited for no longer. Only waiting counts, and not what the reader does meanwhile. Throws `server_unreachable`.
 */
export async function* paced(body: Body, seconds: number = usualSlowSeconds): AsyncGenerator<Uint8Array, void, undefined> {
  let [came, waited, isWaiting] = [0, 0, true];
  let slow: ArtifactstoreError | undefined;
  const timer = setTimeout(() => {
    if (!isWaiting) return void timer.refresh();
    slow = tooSlow(came, seconds);
    body.destroy(slow);
  }, seconds * 1000);
  let asked = performance.now();
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      isWaiting = false;
      waited += performance.now() - asked;
      came += chunk.length;
      if (came >= seconds * leastBytesPerSecond) [came, waited] = [0, 0];
      else if (waited > seconds * 1000) throw tooSlow(came, seconds);
      yield chunk;
      isWaiting = true;
      asked = performance.now();
      timer.refresh();
    }
  } catch (error) {
    throw slow ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** All of an answer; undefined where it is longer than `most` bytes, and then the rest is not read. */
export async function wholeOf(body: Body, most: number, seconds?: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of paced(body, seconds)) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** As long as a server waits for silence within a body of a client. */
const usualSlowSeconds = 120;
const leastBytesPerSecond = 1024;

function tooSlow(came: number, seconds: number): ArtifactstoreError {
  return new ArtifactstoreError(
    'server_unreachable',
    `The answer comes too slowly: ${came} bytes in ${seconds} seconds, and less than ${leastBytesPerSecond} in a second is waited for no longer.`,
    { info: { hint: 'look at the network, at the log of the server, and at what is in front of it' } },
  );
}

import { createBLAKE3 } from 'hash-wasm';
import type { FromLogWorker, ToLogWorker } from '../events/messages.ts';
import { readStreams } from '../events/read-stream.ts';

// A worker, so that the page stays at hand while a long log is read and hashed. It is given the bytes as they come.

const hasher = createBLAKE3();
const reader = hasher.then((blake3) => readStreams((bytes) => blake3.init().update(bytes).digest('hex')));

addEventListener('message', ({ data }: MessageEvent<ToLogWorker>) => void answer(data));

async function answer(message: ToLogWorker): Promise<void> {
  const read = await reader;
  const made: FromLogWorker = read(message);
  postMessage(made);
}

import { parentPort } from 'node:worker_threads';
import { ArtifactstoreError, toErrorRecord } from '../../kernel/error.ts';
import { createDigester, type Digester } from './digester.ts';
import type { HashAnswer, HashRequest } from './hash-messages.ts';

/** The hashing thread: digests of pieces that lie in shared memory, for any number of files side by side. */
const digesters = new Map<number, Digester>();

parentPort?.on('message', (request: HashRequest) => {
  if (request.kind === 'end') return parentPort?.close();
  try {
    const answer = serve(request);
    if (answer !== undefined) parentPort?.postMessage(answer);
  } catch (error) {
    const known = error instanceof ArtifactstoreError ? error : new ArtifactstoreError('internal', String(error));
    parentPort?.postMessage({ kind: 'failed', stream: request.stream, error: toErrorRecord(known) } satisfies HashAnswer);
  }
});

function serve(request: Exclude<HashRequest, { readonly kind: 'end' }>): HashAnswer | undefined {
  const { stream } = request;
  switch (request.kind) {
    case 'begin':
      digesters.set(stream, createDigester(request.algorithms));
      return undefined;
    case 'update':
      digesters.get(stream)!.update(new Uint8Array(request.memory, request.offset, request.length));
      return { kind: 'updated', stream };
    case 'finish': {
      const digested = digesters.get(stream)!.finish();
      digesters.delete(stream);
      return { kind: 'finished', stream, digested };
    }
    case 'forget':
      digesters.delete(stream);
      return undefined;
  }
}

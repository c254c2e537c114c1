import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { ArtifactstoreError, toErrorRecord } from '../../kernel/error.ts';
import { giveBack } from '../../runtime/give-back.ts';
import type { PlaceAnswer, PlaceRequest, PlaceThreadData } from './place-messages.ts';
import { createPlacing } from './placing.ts';

// The thread that writes small files, many in one message.

const { root, drafts, prefix } = workerData as PlaceThreadData;
const channel = parentPort as MessagePort;
const placing = createPlacing(root, drafts, prefix);

channel.on('message', (request: PlaceRequest) => {
  if (request.kind === 'end') return channel.close();
  let there: readonly boolean[] = [];
  let placed = 0;
  const answer = (error?: unknown): void => {
    const known = error === undefined || error instanceof ArtifactstoreError ? error : new ArtifactstoreError('internal', String(error));
    channel.postMessage({ there, placed, ...(known === undefined ? {} : { error: toErrorRecord(known) }) } satisfies PlaceAnswer);
  };
  const placeMany = ({ files, memory }: Extract<PlaceRequest, { readonly kind: 'place' }>): void => {
    try {
      placing.placeMany(files, memory, () => {
        placed += 1;
      });
    } finally {
      giveBack(new Uint8Array(memory));
    }
  };
  try {
    if (request.kind === 'look') there = placing.areThere(request.files);
    else if (request.kind === 'enter') placing.enter(request.file);
    else if (request.kind === 'name') placing.name(request.file, request.draft);
    else placeMany(request);
    answer();
  } catch (error) {
    answer(error);
  }
});

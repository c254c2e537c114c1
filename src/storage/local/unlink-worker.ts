import { statSync, unlinkSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { errnoCode } from '../../runtime/file-error.ts';
import type { UnlinkAnswer, UnlinkRequest, UnlinkThreadData } from './unlink-messages.ts';

// The thread that unlinks, many files in one message.

const { root } = workerData as UnlinkThreadData;
const channel = parentPort as MessagePort;
// Of a file that is not there, its code is all that is looked at.
Error.stackTraceLimit = 0;

channel.on('message', (paths: UnlinkRequest) => {
  const begun = performance.now();
  const absent: number[] = [];
  const gone = paths.map((path, index) => {
    try {
      unlinkSync(path);
      return true;
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') absent.push(index);
      return false;
    }
  });
  // Below a root that was unmounted, nothing shows.
  if (absent.length > 0 && isThere(root)) for (const index of absent) gone[index] = true;
  channel.postMessage({ gone, milliseconds: performance.now() - begun } satisfies UnlinkAnswer);
});

function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../failure.ts';
import { foldLog } from '../replay.ts';
import { openConnection } from './connection.ts';
import { storageFault } from './error.ts';
import { type Folded, foldedAhead } from './fold-messages.ts';
import { rowWrites } from './row-writes.ts';
import { sqliteSession } from './session.ts';

// Reads, checks and folds the log for a replay, as far ahead of whoever writes the rows as it is told.

const port = parentPort as MessagePort;
const { path } = workerData as { readonly path: string };
const say = (folded: Folded): void => port.postMessage(folded);

let ahead = 0;
let taken = Promise.withResolvers<void>();
port.on('message', () => {
  ahead -= 1;
  taken.resolve();
});

try {
  const connection = openConnection(path, { readOnly: true, busyMilliseconds: 5_000 });
  for await (const { changes, head } of foldLog(sqliteSession(connection).readEvents)) {
    for (; ahead === foldedAhead; await taken.promise) taken = Promise.withResolvers();
    ahead += 1;
    say({ kind: 'chunk', changes: rowWrites(changes), head: { sequence: head.sequence, chain_digest: head.chain_digest } });
  }
  connection.close();
  say({ kind: 'end' });
} catch (error) {
  say({ kind: 'failure', failure: toFailure(storageFault(error, path) ?? error) });
}

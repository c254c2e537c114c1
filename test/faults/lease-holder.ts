import { writeSync } from 'node:fs';
import { openRegistry } from '../../src/index.ts';

/** Runs retention by itself, and stands still for ever at the end of the first run, with the lease in hand. */
const [directory, leaseSeconds] = process.argv.slice(2) as [string, string];
const store = await openRegistry({ directory });
// Waiting for its interval, the run keeps no process alive.
setInterval(() => undefined, 60_000);
store.operator.autorun({
  intervalSeconds: 0.1,
  leaseSeconds: Number(leaseSeconds),
  onRun() {
    writeSync(1, 'holding\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});

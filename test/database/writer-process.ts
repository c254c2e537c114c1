import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { type ConformanceOperations, conformanceOperationsUrl } from '../../src/database/conformance/operations.ts';
import { openDatabase } from '../../src/database/open.ts';
import type { DatabaseTarget } from '../../src/database/target.ts';

// Writes until it is killed, or so many times as it is told; prints each name after, and only after, its write was
// acknowledged.

const [target, times] = process.argv.slice(2) as [string, string];
const database = await openDatabase<ConformanceOperations>(JSON.parse(target) as DatabaseTarget, {
  operations: { url: conformanceOperationsUrl },
});
let left = Number(times);
await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (left-- > 0) {
      const name = randomUUID();
      await database.write('claim', { name });
      say(`${name}\n`);
    }
  }),
);
await database.close();

/** The pipe is full while whoever reads it is not given any time. */
function say(line: string): void {
  for (;;)
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
}

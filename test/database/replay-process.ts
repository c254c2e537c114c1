import { writeSync } from 'node:fs';
import { type ConformanceOperations, conformanceOperationsUrl } from '../../src/database/conformance/operations.ts';
import { openDatabase } from '../../src/database/open.ts';
import type { DatabaseTarget } from '../../src/database/target.ts';

// Replays, and prints a line for each step of the progress.

const database = await openDatabase<ConformanceOperations>(JSON.parse(process.argv[2]!) as DatabaseTarget, {
  operations: { url: conformanceOperationsUrl },
});
await database.replay((done, total) => void writeSync(1, `${done} of ${total}\n`));
await database.close();

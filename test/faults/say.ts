import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { isArtifactstoreError } from '../../src/kernel/error.ts';

/** One JSON value a line, which is out when this returns, whatever kills the process next. */
export function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Undefined where the work was refused, which is said, and after a pause; a fault of the program's own ends it. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isArtifactstoreError(error) || error.code === 'internal') throw error;
    say({ kind: 'refused', code: error.code });
    await setTimeout(20);
    return undefined;
  }
}

import { statSync } from 'node:fs';
import { openReadOnly } from './at-rest.ts';
import { openConnection, rollBack } from './connection.ts';
import { isMigrated } from './file.ts';

/**
 * Refuses the file of another program before anything of it is changed. To open a file to write, and beside a writer,
 * turns on its write-ahead log or makes files beside it. They would be of the user who did it, and whoever the database
 * belongs to might not be able to open it any more.
 */
export function refuseForeignFile(path: string, busyMilliseconds: number): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  rollBack(path, busyMilliseconds);
  for (let tries = 1; ; tries++) {
    const { connection, isUndisturbed } =
      tries < mostLooks
        ? openReadOnly(path, busyMilliseconds)
        : { connection: openConnection(path, { readOnly: true, busyMilliseconds }), isUndisturbed: () => true };
    try {
      isMigrated(path, connection);
      if (isUndisturbed()) return;
    } catch (error) {
      if (isUndisturbed()) throw error;
    } finally {
      connection.close();
    }
  }
}

/** Somebody who opens the file meanwhile makes what was read of it doubtful; the last look locks it. */
const mostLooks = 4;

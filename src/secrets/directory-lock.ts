import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from './failure.ts';

/**
 * Runs `work` while nobody else does so for this directory, in this process or another. The lock is SQLite's, which the
 * system drops when the process that has it dies: nobody has to judge whether a lock was left behind.
 */
export async function withDirectoryLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const lock = await take(directory);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function take(directory: string): Promise<DatabaseSync> {
  const until = performance.now() + patienceMilliseconds;
  for (;;) {
    let lock: DatabaseSync | undefined;
    try {
      lock = new DatabaseSync(join(directory, '.lock'), { timeout: 0 });
      lock.exec('BEGIN EXCLUSIVE');
      return lock;
    } catch (error) {
      lock?.close();
      if (!isBusy(error)) throw unavailable(directory, 'cannot be locked', 'may this user write there, and is there room?', error);
      if (performance.now() > until) throw unavailable(directory, 'is being written to by another process', 'try again', error);
    }
    await sleep(5 + Math.random() * 20);
  }
}

const patienceMilliseconds = 10_000;

/** SQLITE_BUSY and its like. */
function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5;
}

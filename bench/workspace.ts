import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

export interface Workspace extends Disposable {
  readonly directory: string;
}

/**
 * A temporary directory that is gone afterwards, also when the run is interrupted. Refuses to start where the disk has
 * less than `bytes` free, and where the temporary directory is no disk at all: durable writes to memory measure
 * nothing.
 */
export function openWorkspace(bytes: number): Workspace {
  const { bavail, bsize, type } = statfsSync(tmpdir());
  if (bavail * bsize < bytes + spareBytes) throw new Error(`${tmpdir()} has less than ${bytes + spareBytes} bytes free; set TMPDIR`);
  if (type === tmpfs) throw new Error(`${tmpdir()} is in memory; set TMPDIR to a directory on a disk`);
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-bench-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', remove);
  return {
    directory,
    [Symbol.dispose]: () => {
      process.removeListener('exit', remove);
      remove();
    },
  };
}

/** Writes out what earlier steps left in memory, so that the next one does not pay for it. */
export function settleDisk(): void {
  execFileSync('sync');
}

const spareBytes = 4 * 2 ** 30;
const tmpfs = 0x01021994;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

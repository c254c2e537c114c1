import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * EXT4_IOC_SHUTDOWN without a flush of the journal: what was not made durable is gone, as if the plug had been pulled.
 */
export const pullPlug = 'import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))';

/** A file system of its own in the file `image`, at the directory `disk`. */
export function makeDisk(image: string, disk: string): void {
  must('truncate', '-s', '48M', image);
  must('mkfs.ext4', '-q', image);
  // Journal commits of its own accord would make durable what nobody fsynced.
  must('mount', '-o', 'loop,commit=300', image, disk);
}

/** Runs a command that has to succeed. */
export function must(command: string, ...parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${parameters.join(' ')}: ${error?.message ?? stderr}`);
}

/** Why no disk can lose its power here. */
export function withoutDisk(): string | false {
  const scratch = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const disk = join(scratch, 'disk');
  mkdirSync(disk);
  try {
    makeDisk(join(scratch, 'image'), disk);
    must('python3', '-c', pullPlug, disk);
    return false;
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1);
    return `a disk cannot lose its power here (it takes root, loop devices, and the Debian packages e2fsprogs, mount and python3): ${reason}`;
  } finally {
    spawnSync('umount', ['-l', disk]);
    rmSync(scratch, { recursive: true, force: true });
  }
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own at a directory, in memory. */
export function mountSmall(directory: string, size = '5m'): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

export function remountReadOnly(directory: string): void {
  const { status, stderr } = spawnSync('mount', ['-o', 'remount,ro', directory], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

export function unmount(directory: string): void {
  spawnSync('umount', ['-l', directory]);
}

/** Why a test that mounts can't run here. */
export function cannotMount(): string | false {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
  if (status === 0) unmount(directory);
  rmSync(directory, { recursive: true, force: true });
  return status === 0 ? false : 'this user may not mount a file system';
}

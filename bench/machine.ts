import { readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';
import process from 'node:process';

/** What the figures were taken on, in one line. */
export function describeMachine(): string {
  const parts = [
    `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'} (${arch()}${features()})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    `${type()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''}${fileFlag('/proc/cpuinfo', 'hypervisor') ? ', virtual machine' : ''}`,
    fileSystems.get(statfsSync(tmpdir()).type) ?? 'an unnamed file system',
    `Node ${process.versions.node}`,
  ];
  return parts.join(', ');
}

function features(): string {
  return ['sha_ni', 'avx512f']
    .filter((flag) => fileFlag('/proc/cpuinfo', flag))
    .map((flag) => `, ${flag}`)
    .join('');
}

function fileFlag(path: string, word: string): boolean {
  try {
    return new RegExp(`\\b${word}\\b`).test(readFileSync(path, 'utf8'));
  } catch {
    return false;
  }
}

const fileSystems: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x1a, 'apfs'],
]);

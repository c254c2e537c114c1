import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whyMissing } from './store.ts';

/** Where another Ceph than the machine's is: a root directory of its own. */
export const ceph20: string = fileURLToPath(new URL('../../node_modules/.cache/stores/ceph20', import.meta.url));

export function whyNoCeph20(): string | undefined {
  const programs = ['ceph', 'ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin'].map((program) => join(ceph20, 'usr/bin', program));
  if (process.getuid?.() !== 0) return 'ceph20: only root can start programs in a root directory of their own';
  return whyMissing('ceph20', programs, 'tools/stores/install-ceph-20.sh');
}

/** What starts a program within a root directory, where `directory` is the same as outside. */
export interface Within extends Disposable {
  command(program: string, args: readonly string[]): readonly [program: string, args: readonly string[]];
}

/** Mounts are those of the process alone, and end with it; the process is replaced by the program. */
export function within(root: string | undefined, directory: string): Within {
  if (root === undefined) return { command: (program, args) => [program, args], [Symbol.dispose]: () => undefined };
  const inside = join(root, directory);
  mkdirSync(inside, { recursive: true });
  const script =
    'for each in /proc /dev; do mount --rbind "$each" "$0$each"; done; mount --bind "$1" "$0$1"; root=$0; shift; exec chroot "$root" "$@"';
  return {
    command: (program, args) => ['unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, root, directory, program, ...args]],
    [Symbol.dispose]: () => rmdirSync(inside),
  };
}

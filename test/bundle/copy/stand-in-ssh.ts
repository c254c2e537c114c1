import { chmodSync } from 'node:fs';
import type { BundleFolder } from '../bundle-folder.ts';

/**
 * An environment whose `ssh` runs the command on this machine, by a shell as a server does, and refuses every use that
 * could be taken for another one. What a real one does is in real-ssh.heavy.ts.
 */
export function standInSsh(folder: BundleFolder): Readonly<Record<string, string>> {
  folder.write({ 'bin/ssh': script });
  chmodSync(folder.path('bin/ssh'), 0o755);
  return { PATH: `${folder.path('bin')}:${process.env.PATH ?? ''}`, HOME: folder.directory };
}

const script = `#!/bin/bash
batch=no
while [ $# -gt 0 ]; do
  case "$1" in
  --) shift; break ;;
  -T | -a | -x) shift ;;
  -o) [ "$2" != BatchMode=yes ] || batch=yes; shift 2 ;;
  -p | -l) shift 2 ;;
  *) echo "ssh: unexpected argument $1" >&2; exit 255 ;;
  esac
done
[ $# = 2 ] && [ $batch = yes ] || { echo 'ssh: expected a host and a command, and no questions' >&2; exit 255; }
[ "$1" != nowhere ] || { echo "ssh: Could not resolve hostname $1: Name or service not known" >&2; exit 255; }
cd /
exec \${SHELL_OF_HOST:-sh} -c "$2"
`;

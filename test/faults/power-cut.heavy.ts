import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspectRegistry } from './inspect.ts';
import { runWriter } from './run-writer.ts';
import type { Line } from './writer.ts';

const rounds = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 1);

/**
 * EXT4_IOC_SHUTDOWN without a flush of the journal: what was not made durable is gone, as if the plug had been pulled.
 * Waits for a line.
 */
const pullPlug = `import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
sys.stdin.readline()
fcntl.ioctl(disk, 0x8004587D, struct.pack("I", 2))`;

describe('a power cut', { skip: skipReason() }, () => {
  let scratch: string;
  let disk: string;
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'artifactstore-'));
    disk = makeDisk(scratch);
  });
  after(() => {
    run('umount', '-l', disk);
    rmSync(scratch, { recursive: true, force: true });
  });

  it('of the whole machine takes nothing that was acknowledged, and leaves nothing torn', () => cut(join(disk, 'registry')));

  // With both on one file system, the database's fsyncs carry what the storage forgot.
  it('of the storage alone does neither', async () => {
    const directory = join(scratch, 'registry');
    mkdirSync(directory);
    mkdirSync(join(disk, 'storage'));
    symlinkSync(join(disk, 'storage'), join(directory, 'storage'));
    must(run('sync', '-f', disk));
    await cut(directory);
  });

  async function cut(directory: string): Promise<void> {
    const everything: Line[] = [];
    for (let round = 0; round < 2 * rounds; round++) {
      // What the writer says once the plug is being pulled is no acknowledgement: with the power its last words would
      // be gone as well, and an fsync that is under way at that moment may be told that all is well.
      let before: readonly Line[] = [];
      const plug = spawn('python3', ['-c', pullPlug, disk], { stdio: ['pipe', 'ignore', 'inherit'] });
      const ended = await runWriter({
        smallObjectBytes: round % 2 === 0 ? 65_536 : 0,
        directory,
        name: `round ${round}`,
        onFirst(kill, lines) {
          setTimeout(() => {
            before = [...lines];
            plug.on('exit', kill);
            plug.stdin.end('now\n');
          }, Math.random() * 300);
        },
      });
      assert.equal(plug.exitCode, 0);
      assert.equal(ended.how, 'SIGKILL', ended.stderr);
      everything.push(...before, ...ended.lines.filter(({ kind }) => kind === 'abandoning'));
      must(run('umount', disk));
      must(mountDisk(scratch, disk));
      await inspectRegistry(directory, everything);
    }
  }
});

interface Ran {
  readonly good: boolean;
  readonly stderr: string;
}

function run(command: string, ...parameters: readonly string[]): Ran {
  const { status, stderr } = spawnSync(command, parameters, { encoding: 'utf8' });
  return { good: status === 0, stderr };
}

function must({ good, stderr }: Ran): void {
  assert.ok(good, stderr);
}

/** A file system of its own in a file; where it is mounted. */
function makeDisk(scratch: string): string {
  const disk = join(scratch, 'disk');
  mkdirSync(disk);
  must(run('truncate', '-s', '128M', join(scratch, 'image')));
  must(run('mkfs.ext4', '-q', join(scratch, 'image')));
  must(mountDisk(scratch, disk));
  return disk;
}

function mountDisk(scratch: string, disk: string): Ran {
  return run('mount', '-o', 'loop', join(scratch, 'image'), disk);
}

function skipReason(): string | false {
  const scratch = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  try {
    const disk = makeDisk(scratch);
    const cut = spawnSync('python3', ['-c', pullPlug, disk], { input: 'now\n', encoding: 'utf8' });
    run('umount', disk);
    return cut.status === 0 ? false : `a file system cannot be cut off here: ${cut.stderr.split('\n').at(-2)}`;
  } catch {
    return 'a file system in a file cannot be made and mounted here (it takes root, mkfs.ext4 and loop devices)';
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspectRegistry } from './inspect.ts';
import { runWriter } from './run-writer.ts';

const rounds = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 1);

interface Fault {
  readonly what: string;
  readonly calls: string;
  /** What strace does at one of the calls. */
  readonly inject: 'signal=SIGKILL' | 'error=EIO' | 'error=ENOSPC';
  /** Which of the calls, counted by thread: one of so many, after the first `after`. */
  readonly among: number;
  readonly after?: number;
  /** Only calls on this file of the registry's directory. */
  readonly file?: string;
  /** Small files are committed with the log. */
  readonly held?: true;
}

const writeAheadLog = 'artifactstore.db-wal';
const faults: readonly Fault[] = [
  { what: 'a kill at an fsync', calls: 'fsync,fdatasync', inject: 'signal=SIGKILL', among: 30 },
  { what: 'a kill at a link', calls: '/^link', inject: 'signal=SIGKILL', among: 12 },
  { what: 'a kill at a write of the write-ahead log', calls: 'pwrite64', inject: 'signal=SIGKILL', among: 120, file: writeAheadLog },
  { what: 'an fsync that fails', calls: 'fsync,fdatasync', inject: 'error=EIO', among: 12 },
  // The third belongs to the checkpoint at the end of the migration: what it could not move stays in the log, and
  // nobody need know.
  {
    what: 'an fsync of the write-ahead log that fails',
    calls: 'fsync,fdatasync',
    inject: 'error=EIO',
    after: 3,
    among: 8,
    file: writeAheadLog,
  },
  { what: 'a link that fails', calls: '/^link', inject: 'error=EIO', among: 12 },
  { what: 'a database that finds the disk full', calls: 'pwrite64', inject: 'error=ENOSPC', among: 50, file: writeAheadLog },
  { what: 'a kill at an fsync, with small files held', calls: 'fsync,fdatasync', inject: 'signal=SIGKILL', among: 8, held: true },
  {
    what: 'a kill at a write of the write-ahead log, with small files held',
    calls: 'pwrite64',
    inject: 'signal=SIGKILL',
    among: 120,
    file: writeAheadLog,
    held: true,
  },
  {
    what: 'a database that finds the disk full, with small files held',
    calls: 'pwrite64',
    inject: 'error=ENOSPC',
    among: 50,
    file: writeAheadLog,
    held: true,
  },
];

describe('a writer whose system calls fail', { skip: skipReason() }, () => {
  let scratch: string;
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  });
  after(() => rm(scratch, { recursive: true, force: true }));

  for (const fault of faults)
    it(`loses nothing that it acknowledged: ${fault.what}`, async (test) => {
      for (let round = 0; round < rounds; round++) {
        const directory = join(scratch, `${fault.what} ${round}`);
        const nth = 1 + (fault.after ?? 0) + Math.floor(Math.random() * fault.among);
        test.diagnostic(`at call ${nth}`);
        const ended = await runWriter({
          directory,
          name: 'writer',
          limit: 24,
          smallObjectBytes: fault.held === true ? 65_536 : 0,
          under: strace(fault, nth, directory),
        });
        if (fault.inject === 'signal=SIGKILL') assert.equal(ended.how, 'SIGKILL', ended.stderr);
        else {
          assert.equal(ended.how, 0, ended.stderr);
          assert.ok(
            ended.lines.some(({ kind }) => kind === 'refused' || kind === 'incident'),
            'nobody was told of the failure',
          );
        }
        await inspectRegistry(directory, ended.lines);
        await rm(directory, { recursive: true });
      }
    });
});

function strace({ calls, inject, file }: Fault, nth: number, directory: string): readonly string[] {
  const only = file === undefined ? [] : ['-P', join(directory, file)];
  return ['strace', '-f', '-qq', '-o', '/dev/null', ...only, '-e', `trace=${calls}`, '-e', `inject=${calls}:${inject}:when=${nth}`];
}

function skipReason(): string | false {
  const probe = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', 'true']);
  return probe.status === 0 ? false : 'strace is not installed, or is not allowed to trace';
}

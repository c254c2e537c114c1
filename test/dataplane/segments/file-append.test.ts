import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const hasTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', process.execPath, '-e', '0'], { stdio: 'ignore' }).status === 0;

/** How many MiB were written before each sync of the file, as the system saw it. */
function syncsOf(mebibytes: number, announced: boolean): readonly number[] {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-trace-'));
  try {
    const [root, log] = [join(directory, 'root'), join(directory, 'log')];
    mkdirSync(root);
    const program = `
      import { createDiskSegments } from '${pathToFileURL(join(import.meta.dirname, '../../../src/dataplane/segments/disk.ts')).href}';
      const bytes = Buffer.alloc(1048576, 'bytes');
      async function* source() { for (let index = 0; index < ${mebibytes}; index++) yield bytes; }
      const { segments, failure } = await createDiskSegments().append(process.argv[1], {
        uploadId: '01a22778-b2e8-7d73-a044-78c5b985cd3a', backendId: 'local', epoch: 1, segments: [], grows: false,
        maximumBytes: ${mebibytes + 1} * bytes.length, onDurable: async () => undefined,
        ...(${announced} ? { sourceBytes: ${mebibytes} * bytes.length } : {}),
      }, source());
      if (failure !== undefined) throw failure.error;
      process.stdout.write(String(segments[0].bytes / bytes.length));
    `;
    const strace = ['-f', '-y', '-o', log, '-e', 'trace=pwrite64,fdatasync'];
    const run = spawnSync('strace', [...strace, process.execPath, '--input-type=module', '-e', program, root], {
      encoding: 'utf8',
      // Calls end in the order in which they were made.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stdout, String(mebibytes));
    let written = 0;
    const syncs: number[] = [];
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      if (/pwrite64\(\d+<[^>]*\/upload-/.test(line)) written += 1;
      if (/fdatasync\(\d+<[^>]*\/upload-/.test(line)) syncs.push(written);
    }
    return syncs;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a body that goes into a file is synced', { skip: hasTrace ? false : 'no strace' }, () => {
  test('whole before it is told, and not again where its last flush had all of it', () => {
    assert.deepEqual(syncsOf(16, true), [8, 16]);
  });

  test('in larger steps where it is long, as soon as that is known', () => {
    assert.deepEqual(syncsOf(48, true), [12, 24, 36, 48]);
    assert.deepEqual(syncsOf(48, false), [8, 16, 24, 32, 43, 48]);
  });
});

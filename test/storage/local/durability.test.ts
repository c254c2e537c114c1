import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openLocalStorage } from '../../../src/storage/local/local.ts';

const traces = works('strace', ['-f', '-o', '/dev/null', 'true']);
const skipTrace = traces ? false : 'strace is not installed, or may not trace here';

describe('storage: local, durability', () => {
  test('fsyncs the bytes before they get a name, and the name before it resolves', { skip: skipTrace }, () => {
    const calls = traced(`
      await storage.put('blake3/ab/cd/abcd', source('x'));
      await storage.drafts.prepare();
      const draft = join(storage.drafts.directory, 'draft');
      await writeFile(draft, 'y', { flush: true });
      await storage.drafts.publish(draft, 'blake3/ab/cd/abce');
    `).calls;
    assertOrder(calls, [
      // A put, with every folder made durable in its parent.
      /fdatasync\(.*\/drafts\/[0-9a-f-]{36}>/,
      /mkdir\("ROOT\/blake3"/,
      /fsync\(.*<ROOT>/,
      /mkdir\("ROOT\/blake3\/ab"/,
      /fsync\(.*<ROOT\/blake3>/,
      /mkdir\("ROOT\/blake3\/ab\/cd"/,
      /fsync\(.*<ROOT\/blake3\/ab>/,
      /rename\("ROOT\/drafts\/[0-9a-f-]{36}", "ROOT\/blake3\/ab\/cd\/abcd"/,
      /fsync\(.*<ROOT\/blake3\/ab\/cd>/,
      // A draft, into folders that are known.
      /fsync\(.*\/drafts\/draft>/,
      /link\("ROOT\/drafts\/draft", "ROOT\/blake3\/ab\/cd\/abce"/,
      /fsync\(.*<ROOT\/blake3\/ab\/cd>/,
    ]);
    assert.equal(calls.filter((call) => /fsync\(.*<ROOT\/blake3\/ab>/.test(call)).length, 1, 'folders are made durable once');
  });

  test('makes one fsync of a folder serve many', { skip: skipTrace }, () => {
    const { calls } = traced(`
      await storage.put('one/first', source('x'));
      await Promise.all(Array.from({ length: 64 }, (_, index) => storage.put('one/' + index, source('x'))));
    `);
    const fsyncs = calls.filter((call) => /fsync\(.*<ROOT\/one>/.test(call)).length;
    assert.ok(fsyncs >= 2 && fsyncs < 65, `${fsyncs} fsyncs for 65 objects in one folder`);
  });

  test('never trusts bytes whose fsync failed', { skip: skipTrace }, () => {
    const { output, left } = traced(putAndSay, ['-e', 'inject=fdatasync:error=EIO:when=1']);
    assert.match(output, /^storage_unavailable .*EIO/);
    assert.deepEqual(left.filter(isFile), [], 'neither the object nor its draft');
  });

  test('does not resolve when the name may not be durable', { skip: skipTrace }, () => {
    const { output, left } = traced(putAndSay, (root) => ['-P', join(root, 'one'), '-e', 'inject=fsync:error=EIO']);
    assert.match(output, /^storage_unavailable .*EIO/);
    assert.deepEqual(
      left.filter((path) => path.startsWith('drafts/')),
      [],
    );
  });

  test('says storage_full when the disk is, and goes on when there is room again', async (context) => {
    await onTinyDisk(context.skip.bind(context), async (root) => {
      const storage = openLocalStorage({ id: 'local', root });
      const mebibytes = async function* (count: number): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < count; index++) yield Buffer.alloc(1_048_576, 1);
      };
      await storage.put('kept', mebibytes(1));
      await assert.rejects(storage.put('too/large', mebibytes(8)), (error) => isArtifactstoreError(error, 'storage_full'));
      assert.equal(await storage.head('too/large'), undefined);
      assert.deepEqual(readdirSync(storage.drafts.directory), []);
      await storage.put('fits', mebibytes(1));
      assert.deepEqual(await storage.head('fits'), { sizeBytes: 1_048_576 });
      assert.deepEqual(await storage.head('kept'), { sizeBytes: 1_048_576 });

      execFileSync('mount', ['-o', 'remount,ro', root]);
      await assert.rejects(storage.put('late', mebibytes(0)), (error) => isArtifactstoreError(error, 'storage_unavailable'));
      await assert.rejects(storage.delete('kept'), (error) => isArtifactstoreError(error, 'storage_unavailable'));
      const health = await storage.health();
      assert.equal(health.healthy, false);
      assert.match(health.detail, /EROFS/);
      assert.deepEqual(await storage.head('kept'), { sizeBytes: 1_048_576 });
    });
  });
});

/** Runs `body` in a process of its own under strace; the calls are given in order, with the root spelled ROOT. */
function traced(
  body: string,
  faults: readonly string[] | ((root: string) => readonly string[]) = [],
): { readonly calls: readonly string[]; readonly output: string; readonly left: readonly string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-trace-'));
  try {
    const [root, log] = [join(directory, 'root'), join(directory, 'log')];
    mkdirSync(root);
    const local = pathToFileURL(join(import.meta.dirname, '../../../src/storage/local/local.ts')).href;
    const program = `
      import { writeFile } from 'node:fs/promises';
      import { join } from 'node:path';
      import { openLocalStorage } from '${local}';
      async function* source(text) { yield Buffer.from(text); }
      const storage = openLocalStorage({ id: 'local', root: process.argv[1] });
      ${body}
    `;
    const strace = ['-f', '-y', '-s', '4096', '-o', log, '-e', 'trace=file,fsync,fdatasync'];
    const injected = typeof faults === 'function' ? faults(root) : faults;
    const node = [process.execPath, '--input-type=module', '-e', program, root];
    // strace counts the calls to fail for each thread, and so there is one.
    const run = spawnSync('strace', [...strace, ...injected, ...node], {
      encoding: 'utf8',
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    assert.equal(run.status, 0, run.stderr);
    const calls = succeeded(readFileSync(log, 'utf8')).map((line) => line.replaceAll(root, 'ROOT'));
    return { calls, output: run.stdout, left: readdirSync(root, { recursive: true, encoding: 'utf8' }) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One line a call, in the order in which they ended; a call that another thread interrupted is put together again. */
function succeeded(log: string): readonly string[] {
  const begun = new Map<string, string>();
  const calls: string[] = [];
  for (const line of log.split('\n')) {
    const [, thread, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (thread === undefined || text === undefined) continue;
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    const whole = resumed === null ? text : `${begun.get(thread) ?? ''}${resumed[1]}`;
    if (whole.endsWith('<unfinished ...>')) begun.set(thread, whole.slice(0, -'<unfinished ...>'.length));
    else if (/ = \d/.test(whole)) calls.push(whole);
  }
  return calls;
}

/** Each pattern matches a call after the one that the pattern before it matched. */
function assertOrder(calls: readonly string[], patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const found = calls.findIndex((call, index) => index >= from && pattern.test(call));
    assert.ok(found >= 0, `no ${pattern} after call ${from} of\n${calls.filter((call) => call.includes('ROOT')).join('\n')}`);
    from = found + 1;
  }
}

/** Runs `body` on a file system of 4 MiB, where mounting is permitted. */
async function onTinyDisk(skip: (reason: string) => void, body: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'artifactstore-disk-'));
  try {
    if (!works('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root])) return skip('mounting a file system is not permitted here');
    try {
      await body(root);
    } finally {
      execFileSync('umount', [root]);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
}

function works(command: string, parameters: readonly string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;
}

function isFile(path: string): boolean {
  return path.includes('other') || /^drafts\/./.test(path);
}

const putAndSay = `
  console.log(await storage.put('one/other', source('x'.repeat(100_000))).then(() => 'done', (error) => error.code + ' ' + error.message));
`;

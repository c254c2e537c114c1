import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

const probe = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', 'true']);
const skip = probe.status === 0 ? false : 'strace is not installed, or is not allowed to trace';

/** What a program says that watches a file, where the answer to the `call`th look of the system at it takes so long. */
async function* saidBy(context: TestContext, call: number, seconds: number): AsyncGenerator<string> {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-silent-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, 'one');
  const module = new URL('../../src/identity/watched-file.ts', import.meta.url).href;
  const program = `
    const { watchFile } = await import(${JSON.stringify(module)});
    const say = (kind, text) => console.log(kind + ' ' + text.replace(${JSON.stringify(path)}, 'PATH'));
    const opening = watchFile({ path: ${JSON.stringify(path)}, longest: 100, pollMilliseconds: 200, take: () => say('taken', ''),
      onRefused: ({ message }) => say('refused', message), onTaken: () => undefined });
    const watched = await opening.catch(({ message }) => say('not opened', message));
    let last;
    setInterval(() => {
      const { refused } = watched.status();
      if (refused !== last) say('status', (last = refused) ?? 'good');
    }, 50);`;
  const inject = ['-e', 'trace=statx', '-e', `inject=statx:delay_enter=${seconds}000000:when=${call}`, '-P', path];
  // Calls are counted by thread.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  const child = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, '--input-type=module', '-e', program], {
    env,
    detached: true,
  });
  // With what it traces.
  context.after(() => process.kill(-child.pid!, 'SIGKILL'));
  yield* createInterface({ input: child.stdout });
}

const silent = 'The file system does not answer what the access file "PATH" is now; look at its disk or server.';

test('a file system that does not answer is told of, and forgotten when it answers', { skip, timeout: 60_000 }, async (context) => {
  const said: string[] = [];
  for await (const line of saidBy(context, 4, 9)) {
    said.push(line);
    if (said.length === 5) break;
  }
  assert.deepEqual(said, ['taken ', 'status good', `refused ${silent}`, `status ${silent}`, 'status good']);
});

test('one that does not answer at the start is told of after half a minute', { skip, timeout: 90_000 }, async (context) => {
  for await (const line of saidBy(context, 1, 45)) {
    assert.equal(line, `not opened ${silent}`);
    break;
  }
});

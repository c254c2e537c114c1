import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const probe = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', 'true']);
const skip = probe.status === 0 ? false : 'strace is not installed, or is not allowed to trace';

test('a file system that does not answer is told of, and forgotten when it answers', { skip, timeout: 60_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-silent-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, 'one');
  const module = new URL('../../src/identity/watched-file.ts', import.meta.url).href;
  const program = `
    const { watchFile } = await import(${JSON.stringify(module)});
    const say = (kind, text) => console.log(kind + ' ' + text);
    const watched = await watchFile({ path: ${JSON.stringify(path)}, longest: 100, pollMilliseconds: 200, take: () => say('taken', ''),
      onRefused: ({ message }) => say('refused', message), onTaken: () => undefined });
    let last;
    setInterval(() => {
      const { refused } = watched.status();
      if (refused !== last) say('status', (last = refused) ?? 'good');
    }, 50);`;
  // The fourth look takes nine seconds.
  const inject = ['-e', 'trace=statx', '-e', 'inject=statx:delay_enter=9000000:when=4', '-P', path];
  // Calls are counted by thread.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  const child = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, '--input-type=module', '-e', program], {
    env,
    detached: true,
  });
  // With what it traces.
  context.after(() => process.kill(-child.pid!, 'SIGKILL'));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === 5) break;
  }
  const silent = `The file system does not answer what the access file "${path}" is now; look at its disk or server.`;
  assert.deepEqual(said, ['taken ', 'status good', `refused ${silent}`, `status ${silent}`, 'status good']);
});

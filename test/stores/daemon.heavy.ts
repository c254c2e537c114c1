import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, startDaemon } from './daemon.ts';

/** A script that hears nothing, and another program that it waits for: what is in `file` is the latter's id. */
const script = 'trap "" TERM; sleep 600 & echo $! >"$1"; wait';

describe('a daemon that is a script with a program of its own', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-daemon-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function idIn(file: string): Promise<number> {
    for (;;) {
      try {
        const id = Number(readFileSync(file, 'utf8'));
        if (id > 0) return id;
      } catch {
        // Not written yet.
      }
      await sleep(20);
    }
  }

  async function ends(id: number): Promise<void> {
    for (let tries = 0; isAlive(id); tries++) {
      assert.ok(tries < 500, 'it lives on');
      await sleep(20);
    }
  }

  test('is killed with that program', async () => {
    const file = join(directory, 'killed');
    const daemon = await startDaemon('/bin/sh', ['-c', script, 'sh', file], { logFile: join(directory, 'log') });
    const id = await idIn(file);
    await daemon.kill();
    assert.equal(daemon.alive(), false);
    await ends(id);
  });

  test('does not outlive the process that started it, and neither does that program', async () => {
    const file = join(directory, 'left');
    const own = `import { startDaemon } from ${JSON.stringify(new URL('daemon.ts', import.meta.url).href)};
      const args = ['-c', ${JSON.stringify(script)}, 'sh', ${JSON.stringify(file)}];
      await startDaemon('/bin/sh', args, { logFile: ${JSON.stringify(join(directory, 'log'))} });
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', own], { stdio: 'ignore' });
    const id = await idIn(file);
    assert.ok(isAlive(id));
    const exited = once(parent, 'exit');
    parent.kill('SIGKILL');
    await exited;
    await ends(id);
  });
});

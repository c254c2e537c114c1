import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering, type Daemon, isAlive, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';

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
    for (const until = Date.now() + 60_000; isAlive(id); await sleep(20)) assert.ok(Date.now() < until, 'it lives on');
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

describe('a daemon that answers before it is ready', () => {
  let directory: string;
  const started: Daemon[] = [];
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-daemon-'));
  });
  after(async () => {
    await Promise.all(started.map((daemon) => daemon.kill()));
    rmSync(directory, { recursive: true });
  });

  /** Its first answers, one after the other; the last one stays. */
  async function start(...statuses: readonly number[]) {
    const port = await freePorts(1);
    const own = `const statuses = ${JSON.stringify(statuses)};
      require('node:http').createServer((request, response) => {
        const status = statuses.length > 1 ? statuses.shift() : statuses[0];
        response.writeHead(status).end(\`says \${status}\`);
      }).listen(${port}, '127.0.0.1');`;
    const logFile = join(directory, 'log');
    const daemon = await startDaemon(process.execPath, ['-e', own], { logFile });
    started.push(daemon);
    return { url: `http://127.0.0.1:${port}`, daemon, logFile };
  }

  test('is waited for', async () => {
    const { url, daemon, logFile } = await start(503, 503, 500, 403, 200);
    await answering(url, daemon, logFile);
    assert.equal((await fetch(url)).status, 200, 'it was asked until 403');
  });

  test('is told where it never is', async () => {
    const { url, daemon, logFile } = await start(503);
    // It starts for longer than that where the machine is busy.
    await answering(url, daemon, logFile, { isReady: () => true });
    await assert.rejects(answering(url, daemon, logFile, { seconds: 1 }), ({ message, cause }: Error) => {
      assert.match(message, /no answer in 1 s/);
      assert.equal((cause as Error).message, 'it answers 503: says 503');
      return true;
    });
  });
});

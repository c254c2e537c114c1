import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openWorkplace } from '../../cli/workplace.ts';

const connections = 41;

/** In bytes, of another process. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

for (const ahead of [1_700, 250])
  test(`${connections} connections that ask ${ahead} times ahead and never read cost little memory`, { skip: noProc() }, async () => {
    using place = openWorkplace();
    const server = await place.serve('serve', '--port', '0');
    const pid = server.process.pid!;
    assert.equal((await fetch(`${server.url}/openapi.json`)).status, 200);
    const before = residentOf(pid);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, residentOf(pid))), 50);
    const request = 'GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(ahead);
    const sockets = await Promise.all(
      Array.from({ length: connections }, async () => {
        const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
        await once(socket, 'connect');
        socket.pause();
        socket.write(request);
        return socket;
      }),
    );
    // While that many requests are parsed others wait, and are answered.
    for (let round = 0; round < 30; round++) {
      assert.equal((await fetch(`${server.url}/livez`)).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    clearInterval(watch);
    for (const socket of sockets) socket.destroy();
    assert.ok(most - before < 384 * 1_048_576, `${Math.round((most - before) / 1_048_576)} MiB more`);
    const ended = once(server.process, 'exit');
    server.process.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

function noProc(): string | false {
  return process.platform === 'linux' ? false : 'the memory of another process is read from /proc';
}

import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../cli/answering.ts';

const scripts = join(import.meta.dirname, '../../../deploy/cosmo/scripts');
const run = promisify(execFile);
const isThere = ['redis-server', 'redis-cli'].every((program) => spawnSync(program, ['--version']).status === 0);
const why = isThere ? false : 'there is no Redis here: apt-get install redis-server';

describe('the Redis of the stack', { skip: why }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-redis-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const password = '0123456789abcdef0123456789abcdef0123456789abcdef';

  test('wants its password, which no other process sees, keeps what it has, and evicts nothing', async () => {
    const [port, data, bin] = [await freePort(), join(folder, 'data'), join(folder, 'bin')];
    for (const path of [data, bin]) mkdirSync(path);
    // What the image has at this name changes the user, and then does this.
    writeFileSync(join(bin, 'docker-entrypoint.sh'), '#!/bin/sh\nexec "$@"\n');
    chmodSync(join(bin, 'docker-entrypoint.sh'), 0o755);
    const script = readFileSync(join(scripts, 'redis.sh'), 'utf8').replace('dir /data', `dir ${data}\nport ${port}\nbind 127.0.0.1`);
    writeFileSync(join(folder, 'redis.sh'), script);
    writeFileSync(join(folder, 'cosmo.env'), `OTHER_SECRET=not-for-redis\nREDIS_PASSWORD=${password}\n`);
    const path = `${bin}:${process.env.PATH}`;
    const start = () =>
      spawn('sh', [join(scripts, 'with-env-file.sh'), join(folder, 'cosmo.env'), 'sh', join(folder, 'redis.sh')], {
        env: { PATH: path, ENV_FILE_NAMES: 'REDIS_PASSWORD' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    const ask = async (secret: string, ...words: readonly string[]): Promise<string> => {
      const env = { PATH: path, ...(secret === '' ? {} : { REDISCLI_AUTH: secret }) };
      const { stdout, stderr } = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...words], { env }).catch(
        (error: { readonly stdout: string; readonly stderr: string }) => error,
      );
      return (stdout + stderr).trim();
    };
    for (const time of ['first', 'second']) {
      const server = start();
      let printed = '';
      const keep = (chunk: Uint8Array): void => {
        printed += chunk.toString();
      };
      for (const stream of [server.stdout, server.stderr]) stream.on('data', keep);
      const exited = once(server, 'exit');
      try {
        for (let tries = 0; !(await ask('', 'ping')).includes('NOAUTH'); tries++) {
          assert.ok(tries < 1_000 && server.exitCode === null, printed);
          await sleep(50);
        }
        assert.match(await ask('another', 'ping'), /WRONGPASS|NOAUTH/);
        assert.equal(await ask(password, 'ping'), 'PONG');
        assert.equal(await ask(password, 'config', 'get', 'maxmemory-policy'), 'maxmemory-policy\nnoeviction');
        assert.equal(await ask(password, 'config', 'get', 'maxmemory'), 'maxmemory\n104857600');
        if (time === 'second') assert.equal(await ask(password, 'get', 'a'), 'kept');
        else assert.equal(await ask(password, 'set', 'a', 'kept'), 'OK');
        const words = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8');
        assert.match(words, /redis-server/);
        for (const text of [words, printed]) assert.equal(text.includes(password), false);
      } finally {
        server.kill('SIGTERM');
        await exited;
      }
    }
  });
});

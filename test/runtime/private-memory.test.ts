import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mayLeaveCore } from '../../src/runtime/private-memory.ts';
import { openWorkplace } from '../cli/workplace.ts';

const skip = process.platform === 'linux' ? false : 'only Linux shows it';

describe('a process that has keys in memory and in its environment', { skip }, () => {
  test('writes no core file, whatever limit it was started with', () => {
    const module = new URL('../../src/runtime/private-memory.ts', import.meta.url).href;
    const source = `(await import('${module}')).keepMemoryPrivate(); console.log((await import('node:fs')).readFileSync('/proc/self/limits', 'utf8'));`;
    const limitsAfter = (limit: string): string =>
      execFileSync('sh', ['-c', `ulimit -c ${limit}; exec "$@"`, 'sh', process.execPath, '--input-type=module', '-e', source], {
        encoding: 'utf8',
      });
    assert.match(limitsAfter('unlimited'), /^Max core file size +1 +1 /m);
    const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    assert.match(limitsAfter('0'), pattern.startsWith('|') ? /^Max core file size +1 +1 /m : /^Max core file size +0 /m);
  });

  test('takes a limit of 0 for none where core files go to a program, which gets them all the same', () => {
    const limited = (limit: string): string =>
      `Limit  Soft Limit  Hard Limit  Units\nMax core file size        ${limit}  unlimited  bytes\n`;
    for (const [limit, pattern, expected] of [
      ['unlimited', 'core\n', true],
      ['0', 'core\n', false],
      ['0', '|/usr/share/apport/apport %p\n', true],
      ['1', '|/usr/share/apport/apport %p\n', false],
      ['1', 'core\n', false],
    ] as const)
      assert.equal(mayLeaveCore(limited(limit), pattern), expected, `${limit} ${pattern}`);
  });

  test('starts each of its threads so that a report leaves their environment out', () => {
    const root = new URL('../../', import.meta.url).pathname;
    const starting = globSync('src/**/*.ts', { cwd: root }).filter((path) => /\bnew Worker\(/.test(codeOf(`${root}${path}`)));
    assert.ok(starting.length > 4);
    for (const path of starting) assert.match(codeOf(`${root}${path}`), /\bexecArgv: threadArguments\b/, path);
  });

  test('as a server shows no memory, no environment and no debugger', async () => {
    using place = openWorkplace({ A_KEY: 'hush-value', NODE_OPTIONS: '--report-on-signal' });
    const server = await place.serve('serve', '--port', '0');
    const { pid = 0 } = server.process;
    assert.match(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'), /^0+\n$/, 'a core file would have memory');
    process.kill(pid, 'SIGUSR1');
    process.kill(pid, 'SIGUSR2');
    const report = await reportIn(place.directory);
    assert.match(report, /"javascriptHeap"/);
    assert.doesNotMatch(report, /hush-value|environmentVariables/);
    const { ok } = await fetch(`${server.url}/livez`);
    assert.ok(ok, 'it is still there');
    assert.equal(await server.signal('SIGTERM'), 0);
    assert.doesNotMatch(server.log(), /Debugger listening/);
  });
});

function codeOf(path: string): string {
  return readFileSync(path, 'utf8').replace(/^\s*\*.*$/gm, '');
}

/** The one that Node writes, when it is whole. */
async function reportIn(directory: string): Promise<string> {
  for (let attempt = 0; attempt < 2_400; attempt += 1) {
    const name = readdirSync(directory).find((each) => /^report\..*\.json$/.test(each));
    const text = name === undefined ? '' : readFileSync(`${directory}/${name}`, 'utf8');
    if (text.trimEnd().endsWith('}')) return text;
    await sleep(25);
  }
  throw new Error('no report was written');
}

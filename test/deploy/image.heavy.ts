import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { environment } from '../run-package.ts';
import { freePorts } from '../stores/free-ports.ts';
import { environmentOf, lastOf, type Stage, stagesOf } from './dockerfile.ts';
import { root, textOf } from './manifests.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'artifactstore-image-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const asRoot = process.getuid?.() === 0;

/**
 * There is no container engine here. What can be done without one is done: the steps of the Dockerfile as shell
 * commands, with the folders of the image below one of the test's own; and then its entry point as its user, in a name
 * space of mounts in which all but its data is read-only.
 */
describe('the Dockerfile, step by step', () => {
  const [pack, install, last] = stagesOf(textOf('image/Dockerfile')) as [Stage, Stage, Stage];
  const [application, data] = [join(folder, 'opt/artifactstore'), join(folder, 'var/lib/artifactstore')];

  /** The image's own folders lie below the test's. */
  function below(text: string): string {
    return text.replaceAll(
      /(?<![\w.])\/(opt\/artifactstore|var\/lib\/artifactstore|etc\/artifactstore|tmp\/artifactstore)/g,
      `${folder}/$1`,
    );
  }

  test('pack: the package is made of what .dockerignore leaves', async () => {
    assert.deepEqual(
      pack.instructions.map(({ name }) => name),
      ['WORKDIR', 'COPY', 'RUN'],
    );
    const clone = join(folder, 'src');
    mkdirSync(clone);
    const names = [...textOf('image/Dockerfile.dockerignore').matchAll(/^!([\w./-]+)$/gm)].map(([, name = '']) => name);
    for (const name of [...names, ...readdirSync(root).filter((each) => /^tsconfig.*\.json$/.test(each))])
      if (readdirSync(root).includes(name))
        cpSync(join(root, name), join(clone, name), { recursive: true, filter: (path) => !path.includes('node_modules') });
    // In place of `npm ci`, which other tests do.
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
    mkdirSync(join(folder, 'tmp'));
    const [, packing = ''] = (lastOf(pack, 'RUN') ?? '').split(' && ');
    assert.equal(packing, 'npm pack --pack-destination /tmp');
    await run('npm', ['pack', '--offline', '--pack-destination', join(folder, 'tmp')], { cwd: clone, env: environment() });
  });

  test('install: what it needs to run comes from the lock file, with a bill of materials', async (context) => {
    const [packed = ''] = readdirSync(join(folder, 'tmp'));
    cpSync(join(folder, 'tmp', packed), join(folder, 'tmp/artifactstore.tgz'));
    mkdirSync(application, { recursive: true });
    cpSync(join(root, 'package-lock.json'), join(application, 'package-lock.json'));
    const steps = install.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => below(text));
    try {
      // What npm needs to reach its registry is in the environment.
      for (const step of steps)
        await run('sh', ['-euc', step], { cwd: application, env: { ...process.env, npm_config_cache: join(folder, 'npm') } });
    } catch (error) {
      if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test((error as { stderr?: string }).stderr ?? '')) throw error;
      return context.skip('the npm registry cannot be reached from here');
    }
    const { components } = JSON.parse(readFileSync(join(application, 'sbom.cdx.json'), 'utf8')) as {
      components: readonly { name: string }[];
    };
    const installed = components.map(({ name }) => name);
    const hidden = readFileSync(join(application, 'node_modules/.package-lock.json'), 'utf8');
    const { packages } = JSON.parse(hidden) as { packages: Readonly<Record<string, object>> };
    const paths = Object.keys(packages).filter((path) => existsSync(join(application, path)));
    assert.ok(paths.length > 100);
    for (const path of paths) assert.ok(installed.includes(path.replace(/^.*node_modules\//, '')), path);
    assert.ok(!installed.includes('typescript'));
  });

  test('run: it starts as nobody in particular with all but its folder read-only, is healthy, and stops when it is told to', async (context) => {
    mkdirSync(data, { recursive: true });
    const [uid = '', gid = ''] = (lastOf(last, 'USER') ?? '').split(':');
    if (asRoot) chownSync(data, Number(uid), Number(gid));
    chmodSync(folder, 0o755);
    const port = await freePorts(1);
    const own = Object.fromEntries(Object.entries(environmentOf(last)).map(([name, value]) => [name, below(value)]));
    const env = {
      PATH: process.env.PATH,
      ...own,
      ARTIFACTSTORE_HOST: '127.0.0.1',
      ARTIFACTSTORE_PORT: String(port),
      ARTIFACTSTORE_AUTH_TOKENS: 'ci=of-tests',
    };
    const inside = (text: string): readonly [string, readonly string[]] => {
      const command = `cd '${data}' && exec ${text}`;
      if (!asRoot) return ['sh', ['-c', command]];
      const closed = `mount --bind '${data}' '${data}' && mount -o remount,bind,ro / && exec setpriv --reuid=${uid} --regid=${gid} --clear-groups --no-new-privs --bounding-set=-all sh -c "$0"`;
      return ['unshare', ['--mount', 'sh', '-ec', closed, command]];
    };
    const words = (text: string): string =>
      (JSON.parse(text) as readonly string[]).map((word) => `'${below(word).replace(/^node$/, process.execPath)}'`).join(' ');
    if (!asRoot) context.diagnostic('not as root: the root file system is not made read-only');
    const entry = words(lastOf(last, 'ENTRYPOINT') ?? '[]');
    const health = words(/CMD (\[.*\])$/.exec(lastOf(last, 'HEALTHCHECK') ?? '')?.[1] ?? '[]');
    const isHealthy = () =>
      run(...asArguments(inside(health)), { env }).then(
        () => true,
        () => false,
      );

    assert.equal(await isHealthy(), false, 'nothing runs yet');
    if (asRoot) {
      const wrong = await run(...asArguments(inside(`touch '${application}/x'`)), { env }).catch(
        (error: { stderr: string }) => error.stderr,
      );
      assert.match(String(wrong), /Read-only file system/);
    }
    const [program, args] = inside(`${entry} ${words(lastOf(last, 'CMD') ?? '[]')}`);
    const server = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (said += chunk));
    const exited = once(server, 'exit');
    try {
      let healthy = false;
      const end = performance.now() + 120_000;
      while (!healthy && performance.now() < end && server.exitCode === null) healthy = await isHealthy();
      assert.ok(healthy, said);
      const { status } = await fetch(`http://127.0.0.1:${port}/packages`, { headers: { authorization: 'Bearer of-tests' } });
      assert.equal(status, 200);
      assert.ok(readdirSync(data).includes('artifactstore.db'));
    } finally {
      server.kill('SIGTERM');
    }
    assert.deepEqual(await exited, [0, null], said);
  });
});

function asArguments([program, args]: readonly [string, readonly string[]]): [string, readonly string[]] {
  return [program, args];
}

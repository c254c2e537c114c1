import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { below, commandsOf, deployed, findNginx, nginxConfiguration } from './install-page.ts';
import { freePorts } from './stores/free-ports.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'artifactstore-install-'));
const data = join(folder, 'var/lib/artifactstore');
const name = 'localhost';
const running: ChildProcess[] = [];
const nginx = findNginx();

/**
 * docs/install.md, followed in its order as far as a machine allows on which nothing may be changed: no users, no
 * units, no apt.
 */
describe('docs/install.md, followed', {
  skip: nginx === undefined && 'this machine has no nginx (ARTIFACTSTORE_TEST_NGINX names one)',
}, () => {
  let tlsPort: number;
  let serverPort: number;
  let plainPort: number;

  before(async () => {
    for (const path of ['usr/local/bin', 'opt', 'here', 'etc/nginx', 'var/lib/artifactstore'])
      mkdirSync(join(folder, path), { recursive: true });
    tlsPort = await freePorts(3);
    [serverPort, plainPort] = [tlsPort + 1, tlsPort + 2];
  });
  after(async () => {
    for (const child of running) await stop(child);
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the page has them, one block at a time. */
  async function follow(commands: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
    let said = '';
    for (const block of commands) {
      const text = below(folder, block).replaceAll('http://127.0.0.1:8000', `http://127.0.0.1:${serverPort}`);
      const running = run('bash', ['-euo', 'pipefail', '-c', text], { cwd: join(folder, 'here'), env: { ...environment(), ...more } });
      // Nobody answers questions.
      running.child.stdin?.end();
      const { stdout } = await running;
      said += stdout;
    }
    return said;
  }

  /** What npm needs to reach its registry may be in the environment; settings of ours may not. */
  function environment(): NodeJS.ProcessEnv {
    const foreign = Object.entries(process.env).filter(([variable]) => !variable.startsWith('ARTIFACTSTORE_'));
    return { ...Object.fromEntries(foreign), PATH: `${folder}/usr/local/bin:${process.env.PATH}`, NAME: name };
  }

  async function start(): Promise<void> {
    const [, command = ''] = /^ExecStart=\S+\/(artifactstore .*)$/m.exec(deployed('systemd/artifactstore.service')) ?? [];
    const server = spawn('sh', ['-c', `exec ${command}`], { cwd: data, env: environment(), stdio: ['ignore', 'ignore', 'inherit'] });
    running.push(server);
    for (let tries = 0; tries < 600; tries += 1) {
      const ready = await fetch(`http://127.0.0.1:${serverPort}/readyz`).catch(() => undefined);
      if (ready?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail('the server is not ready');
  }

  test('the software', async (context) => {
    cpSync(root, join(folder, 'clone'), { recursive: true, filter: (path) => !/\/(node_modules|dist|\.git|var)$/.test(path) });
    symlinkSync(join(root, 'node_modules'), join(folder, 'clone/node_modules'));
    await run('npm', ['pack', '--offline', '--pack-destination', join(folder, 'here')], { cwd: join(folder, 'clone'), env: environment() });
    const [, install = ''] = commandsOf('2. The software');
    try {
      const said = await follow([install]);
      assert.match(said.trim().split('\n').at(-1)!, /\d+\.\d+\.\d+/);
    } catch (error) {
      if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test((error as { stderr?: string }).stderr ?? '')) throw error;
      context.skip('the npm registry cannot be reached from here');
    }
  });

  test('settings, and the service as its unit starts it', async () => {
    assert.ok(existsSync(join(folder, 'usr/local/bin/artifactstore')), 'needs the software');
    const [write = '', commands = ''] = commandsOf('4. Settings');
    await follow([write.replace(/^chown.*$/m, '')]);
    writeFileSync(join(data, '.env'), `${readFileSync(join(data, '.env'), 'utf8')}ARTIFACTSTORE_PORT=${serverPort}\n`);
    assert.match(await follow([commands]), /"status": "ok"/);
    await start();
    assert.match(
      await follow(
        commandsOf('5. The service').map((block) =>
          block
            .split('\n')
            .filter((line) => line.startsWith('curl'))
            .join('\n'),
        ),
      ),
      /./,
    );
    const verify = /^ExecStart=\S+\/(artifactstore .*)$/m.exec(deployed('systemd/artifactstore-verify.service'))![1]!;
    await follow([`cd ${data} && ${verify}`]);
  });

  test('nginx with TLS: files of any size go through, both ways, and events as they happen', async () => {
    const [certificate = ''] = commandsOf('6. nginx').filter((block) => block.includes('openssl'));
    await follow([certificate]);
    const site = nginxConfiguration({ folder, name, tlsPort, port: plainPort, upstreamPort: serverPort });
    writeFileSync(join(folder, 'nginx.conf'), site);
    const proxy = spawn(nginx!, ['-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] });
    running.push(proxy);
    const ca = join(folder, `etc/nginx/tls/${name}.pem`);
    const token = /ci=([0-9a-f]+)/.exec(readFileSync(join(data, '.env'), 'utf8'))![1]!;
    const nginxIs = async (ready: () => Promise<boolean>): Promise<void> => {
      for (let tries = 0; !(await ready()); tries += 1) {
        assert.ok(tries < 600, 'nginx is not ready');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await nginxIs(() => reachable(tlsPort));

    mkdirSync(join(folder, 'here/reports'));
    writeFileSync(join(folder, 'here/reports/large'), randomBytes(20_000_000));
    const events = request({
      port: tlsPort,
      path: '/events',
      ca: readFileSync(ca),
      servername: name,
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    }).end();
    const [answer] = await once(events, 'response');
    const told = once(answer, 'data');
    await follow(
      commandsOf('7. The first package').map((block) => block.replace('https://$NAME', `https://$NAME:${tlsPort}`)),
      { TOKEN: token, NODE_EXTRA_CA_CERTS: ca },
    );
    await told;
    events.destroy();

    const narrow = site.replace('client_max_body_size 0', 'client_max_body_size 1m');
    writeFileSync(join(folder, 'nginx.conf'), narrow);
    proxy.kill('SIGHUP');
    const toNginx = { port: tlsPort, ca: readFileSync(ca), servername: name };
    await nginxIs(async () => (await statusOfLongBody(toNginx)) === 413);
    writeFileSync(join(folder, 'here/reports/large'), randomBytes(20_000_000));
    const client = { ARTIFACTSTORE_API_URL: `https://${name}:${tlsPort}`, ARTIFACTSTORE_API_TOKEN: token, NODE_EXTRA_CA_CERTS: ca };
    const push = 'artifactstore push reports --producer ci --subject first --retention-class transient';
    const refused = await follow([push], client).catch((error: { stderr: string }) => error.stderr);
    assert.match(refused, /answered 413 .*nginx.*takes no body of this size[\s\S]*client_max_body_size 0/);
    const untrusted = await follow([push], { ...client, NODE_EXTRA_CA_CERTS: '' }).catch((error: { stderr: string }) => error.stderr);
    assert.match(untrusted, /self-signed[\s\S]*NODE_EXTRA_CA_CERTS/);
    await stop(running[0]!);
    const behind = await follow(['artifactstore packages list'], client).catch((error: { stderr: string }) => error.stderr);
    assert.match(behind, /answered 502 .*nginx[\s\S]*is artifactstore running there/);
  });

  test('an upgrade, and a new disk', async () => {
    const upgrade = commandsOf('10. Upgrade').map((block) => block.replaceAll(/^(systemctl|curl).*\n/gm, ''));
    await follow(upgrade);
    const [move = ''] = commandsOf('11. A new disk');
    mkdirSync(join(folder, 'mnt'));
    const copy = move
      .split('\n')
      .filter((line) => line.startsWith('rsync'))
      .map((line) => line.replace('/mnt/', `${folder}/mnt/`));
    if (
      await run('rsync', ['--version']).then(
        () => true,
        () => false,
      )
    )
      await follow(copy);
    else cpSync(data, join(folder, 'mnt'), { recursive: true, preserveTimestamps: true });
    rmSync(data, { recursive: true });
    cpSync(join(folder, 'mnt'), data, { recursive: true, preserveTimestamps: true });
    const last = move.trim().split('\n').at(-1)!;
    assert.match(await follow([last]), /0 damaged, 0 missing/);
    await start();
  });
});

/** What a body of 2 MB is answered, or undefined where the connection ends first. */
async function statusOfLongBody(to: RequestOptions): Promise<number | undefined> {
  const asking = request({ ...to, agent: false, method: 'PUT', path: '/packages' }).on('error', () => undefined);
  asking.end(Buffer.alloc(2_000_000));
  const status = await once(asking, 'response').then(
    ([answer]) => (answer as IncomingMessage).statusCode,
    () => undefined,
  );
  asking.destroy();
  return status;
}

async function reachable(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

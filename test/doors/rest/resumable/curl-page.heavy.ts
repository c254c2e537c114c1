import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../cli/answering.ts';
import { openWorkplace, type RunningServer, type Workplace } from '../../../cli/workplace.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/http.md'), 'utf8');
const [, section = ''] = page.split('\n### Resume an upload with curl\n');
const [before, ...wires] = section.slice(0, section.indexOf('\n## ')).split(/^(?=\*\*)|^(?=At the end)/m);
const scriptsIn = (text: string): readonly string[] => [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, script]) => script!);

const firstPart = 8_000_000;
const size = 30_000_000;

/** The commands of docs/http.md that resume an upload, pasted into a shell as they stand there. */
describe('the commands of docs/http.md that resume an upload', { skip: whyNoCommands() ?? false }, () => {
  test('there are those of three wires, and the comparison', () => {
    assert.deepEqual(
      wires.map((text) => scriptsIn(text).length),
      [2, 2, 2, 1],
    );
  });

  test('send each file whole, although each breaks off', async () => {
    await using shell = await openShell();
    await shell.paste(...scriptsIn(before!));
    for (const wire of wires.slice(0, 3)) {
      const [begin, resume] = scriptsIn(wire) as [string, string];
      await shell.paste(begin);
      const resumed = await shell.paste(resume);
      const there = bytesThere(resumed);
      // What came of the part that broke off counts; on a slow machine that may be nothing.
      assert.ok(there >= firstPart && there < size, `${there} were there after ${begin}`);
      // More may have been counted while that offset was told: the page says to paste it again.
      if (/"status":4\d\d/.test(resumed)) await shell.paste(resume);
    }
    requireSame(await shell.paste(...scriptsIn(wires[3]!)));
  });

  test('send each file whole across a server that is killed and started again', async () => {
    await using shell = await openShell();
    await shell.paste(...scriptsIn(before!));
    for (const wire of wires.slice(0, 3)) {
      const [begin, resume] = scriptsIn(wire) as [string, string];
      // Broken off by nothing but the kill, and slower: no kill is too late.
      const slow = begin.replace('--limit-rate 4M --max-time 4', '--limit-rate 1M --max-time 120');
      assert.notEqual(slow, begin);
      const sending = shell.paste(slow);
      await shell.drafted(firstPart + 1_000_000);
      await shell.killAndStart();
      assert.match(await sending, /curl: \((?:52|55|56)\)/);
      const there = bytesThere(await shell.paste(resume));
      assert.ok(there >= firstPart && there < size, `${there}`);
    }
    requireSame(await shell.paste(...scriptsIn(wires[3]!)));
  });

  test('make no file of other bytes', async () => {
    await using shell = await openShell();
    await shell.paste(...scriptsIn(before!));
    for (const wire of wires.slice(0, 2)) {
      const [begin, resume] = scriptsIn(wire) as [string, string];
      await shell.paste(begin);
      // A byte of the first part is another than that which was sent.
      await shell.changeByte(firstPart / 2);
      const said = await shell.paste('sha256=$(openssl dgst -sha256 -r disk.img | cut -d " " -f 1)\n', resume);
      assert.match(said, /"code":"digest_mismatch"/);
    }
  });
});

function whyNoCommands(): string | undefined {
  const missing = ['curl', 'openssl'].filter((name) => spawnSync(name, ['version']).error !== undefined);
  return missing.length === 0 ? undefined : `there is no ${missing.join(', and no ')}`;
}

function bytesThere(said: string): number {
  return Number(/^(\d+) of 30000000 bytes are there$/m.exec(said)?.[1]);
}

function requireSame(said: string): void {
  const digests = [...said.matchAll(/^([0-9a-f]{64}) /gm)].map(([, digest]) => digest);
  assert.equal(digests.length, 4, said);
  assert.equal(new Set(digests).size, 1, said);
}

interface Shell extends AsyncDisposable {
  /** Runs the commands in the one shell; what they said. */
  paste(...commands: readonly string[]): Promise<string>;
  /** Waits until the last upload has so many bytes, durable or not. */
  drafted(bytes: number): Promise<void>;
  killAndStart(): Promise<void>;
  changeByte(at: number): Promise<void>;
}

/** A shell that reads what is pasted from its standard input, beside a server of its own. */
async function openShell(): Promise<Shell> {
  const place = openWorkplace();
  let server: RunningServer = await place.serve('serve', '--port', String(await freePort()));
  const shell = startShell(place, server.url, await newPackage(server.url));
  let said = '';
  for (const stream of [shell.stdout!, shell.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const seen = new Set<string>();
  let pasted = 0;
  return {
    async paste(...commands) {
      const end = `-- pasted ${pasted++}`;
      const from = said.length;
      shell.stdin!.write(`${commands.join('\n')}\necho; echo '${end}'\n`);
      while (!said.includes(end)) await sleep(20);
      for (const path of drafts(place)) seen.add(path);
      return said.slice(from);
    },
    async drafted(bytes) {
      const sizes = () =>
        drafts(place)
          .filter((path) => !seen.has(path))
          .map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
      while (Math.max(0, ...sizes()) < bytes) await sleep(20);
    },
    async killAndStart() {
      await server.signal('SIGKILL');
      server = await place.serve('serve', '--port', String(server.port));
    },
    async changeByte(at) {
      const file = await open(place.path('disk.img'), 'r+');
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
      await file.write(Buffer.of(buffer[0]! ^ 1), 0, 1, at);
      await file.close();
    },
    async [Symbol.asyncDispose]() {
      const ended = once(shell, 'exit');
      shell.stdin!.end();
      await ended;
      await server.signal('SIGTERM');
      place[Symbol.dispose]();
    },
  };
}

function startShell(place: Workplace, url: string, id: string): ChildProcess {
  const env = { PATH: process.env.PATH, STORE: url, TOKEN: 'cli-test-token', ID: id };
  return spawn('sh', { cwd: place.directory, env, stdio: 'pipe' });
}

function drafts(place: Workplace): readonly string[] {
  return globSync('**/upload-*', { cwd: place.directory }).map((path) => place.path(path));
}

async function newPackage(url: string): Promise<string> {
  const opened = await fetch(`${url}/packages`, {
    method: 'POST',
    headers: { authorization: 'Bearer cli-test-token', 'content-type': 'application/json' },
    body: '{"name":"n","producer":"p","subject":"s","retention_class":"transient"}',
  });
  return ((await opened.json()) as { readonly id: string }).id;
}

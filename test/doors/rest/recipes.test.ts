import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Door, openDoor, token } from './open-door.ts';

/** Runs the scripts of docs/http.md, as they stand there. */
describe('the scripts of docs/http.md', () => {
  let door: Door;
  let directory: string;

  before(async () => {
    door = await openDoor();
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  });
  after(async () => {
    await door[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  async function scriptUnder(heading: string): Promise<string> {
    const page = await readFile(join(import.meta.dirname, '../../../docs/http.md'), 'utf8');
    const [, section = ''] = page.split(`\n### ${heading}\n`);
    const script = /```sh\n(.*?)```/s.exec(section)?.[1];
    assert.ok(script !== undefined, `docs/http.md has no script under "${heading}"`);
    return script;
  }

  async function run(script: string, more: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly output: string }> {
    const environment = { PATH: process.env.PATH, STORE: door.url, TOKEN: token, ...more };
    const child = spawn('sh', ['-c', script], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const told: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => told.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
    return { code, output: Buffer.concat(code === 0 ? told : [...told, ...complaints]).toString() };
  }

  it('repeat a whole build under its idempotency key', async () => {
    const script = await scriptUnder('A script that can be repeated');
    await writeFile(join(directory, 'report.txt'), 'all is well\n');
    await writeFile(join(directory, 'log.txt'), 'one\ntwo\n');
    const first = await run(script, { BUILD: '7' });
    assert.match(first.output, /^blake3:[0-9a-f]{64}\n$/);
    const events = await door.lastSequence();
    assert.deepEqual(await run(script, { BUILD: '7' }), first);
    assert.equal(await door.lastSequence(), events);
    await writeFile(join(directory, 'log.txt'), 'one\nthree\n');
    const other = await run(script, { BUILD: '7' });
    assert.deepEqual([other.code, await door.lastSequence()], [22, events], other.output);
    assert.equal((await run(script, { BUILD: '8' })).code, 0);
  });

  it('end with the exit code of the request that failed, and say why', async () => {
    const script = await scriptUnder('A script that can be repeated');
    const unsealed = await run(script.replace('for file in report.txt log.txt', 'for file in'), { BUILD: '9' });
    assert.match(unsealed.output, /"code":"package_empty"/);
    const refused = await run(script.replace('raw-evidence', 'nonsense'), { BUILD: '10' });
    assert.match(refused.output, /"code":"unknown_retention_class"/);
    assert.deepEqual([unsealed.code, refused.code], [22, 22]);
  });

  it('send a tar, fetch it and send that', async () => {
    await mkdir(join(directory, 'results/deep'), { recursive: true });
    for (const path of ['a.txt', 'deep/b.txt', 'deep/ü.txt']) await writeFile(join(directory, 'results', path), path);
    assert.deepEqual(await run(await scriptUnder('A tar that is sent and fetched'), {}), { code: 0, output: '3\n3\n' });
  });

  it('send no tar that was not made whole', async () => {
    await mkdir(join(directory, 'results'), { recursive: true });
    await writeFile(join(directory, 'results/a.txt'), 'a');
    const script = await scriptUnder('A tar that is sent and fetched');
    const events = await door.lastSequence();
    const { code, output } = await run(script.replace(/tar -C results -cf \S+ \./, '$& not-there'), {});
    assert.deepEqual([code, await door.lastSequence()], [2, events], output);
  });
});

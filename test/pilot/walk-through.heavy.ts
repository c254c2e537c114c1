import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { freePort } from '../cli/answering.ts';

const root = join(import.meta.dirname, '..', '..');

// Each page has a folder, a server and ports of its own.
describe('the pages on pilots', { concurrency: true }, () => {
  for (const page of ['guide-board', 'test-report', 'sbom'])
    test(`every command of docs/pilots/${page}.md does what the page says`, async () => {
      const text = readFileSync(join(root, 'docs', 'pilots', `${page}.md`), 'utf8');
      const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
      assert.ok(blocks.length > 1);
      using clone = openClone();
      if (!blocks.includes('npx artifactstore dev\n')) await clone.stay('npx artifactstore dev\n');
      const port = await freePort();
      let script = '';
      for (const block of blocks.map((each) => each.replaceAll('8010', String(port)))) {
        // What stays in a terminal of its own.
        if (/^(npx artifactstore dev|node tools\/state-hub\.ts .*)\n$/.test(block)) {
          // The others run in one shell, which waits meanwhile.
          script += `echo stay; read -r url\n${block.includes('dev') ? 'export ARTIFACTSTORE_API_URL=$url\n' : ''}`;
          clone.later(block);
        } else script += withExitCodes(block);
      }
      const { code, said, printed } = await clone.run(`${script}npx artifactstore packages list --json --producer ${page}\n`);
      assert.equal(code, 0, said);
      const { items } = JSON.parse(printed.trimEnd().split('\n').at(-1)!) as { readonly items: readonly Package[] };
      const shown = /metadata says:\n\n```json\n([\s\S]*?)^```$/m.exec(text)?.[1];
      if (shown === undefined) return;
      const { content_digest: _, ...metadata } = items.at(-1)!.metadata;
      assert.deepEqual(metadata, JSON.parse(shown));
    });

  test('a command that ends otherwise than the page says is noticed', async () => {
    using clone = openClone();
    assert.equal((await clone.run(withExitCodes('true\nfalse\ntrue\n'))).code, 1);
    assert.equal((await clone.run(withExitCodes('true    # exit code 4\ntrue\n'))).code, 99);
    assert.equal((await clone.run(withExitCodes('(exit 5)    # exit code 4\ntrue\n'))).code, 99);
    assert.equal((await clone.run(withExitCodes('(exit 4)    # exit code 4\ntrue\n'))).code, 0);
  });
});

/** `command    # exit code 4` must end with that; any other command with 0. */
function withExitCodes(block: string): string {
  return block.replace(
    /^(.*\S) +# exit code (\d+)$/gm,
    '{ set +e; $1; code=$?; set -e; }; [ $code -eq $2 ] || { echo "exit code $code: $1"; exit 99; }',
  );
}

/** A folder in which the commands of a clone work: `npx artifactstore` and `tools/`. */
function openClone() {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-walk-'));
  const programs = join(directory, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, 'bin', 'artifactstore.js')}" "$@"\n`);
  writeFileSync(join(programs, 'node'), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
  for (const name of ['npx', 'node']) chmodSync(join(programs, name), 0o755);
  symlinkSync(join(root, 'tools'), join(directory, 'tools'));
  const environment: Record<string, string> = {
    PATH: `${programs}${delimiter}${process.env.PATH}`,
    HOME: directory,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'artifactstore-test-compile-cache'),
    ARTIFACTSTORE_PORT: '0',
  };
  const staying: ChildProcess[] = [];
  const waiting: string[] = [];

  /** Starts what does not end, and waits until it says where it listens. */
  async function stay(command: string): Promise<string> {
    const child = spawn('/bin/sh', ['-c', `exec ${command}`], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    staying.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
      if (url === undefined) continue;
      if (command.includes('dev')) environment.ARTIFACTSTORE_API_URL = url;
      return url;
    }
    throw new Error(`${command} ended`);
  }

  return {
    stay,
    later: (command: string): void => void waiting.push(command),
    /** `printed` is its standard output alone, `said` is that with what came between. */
    async run(script: string): Promise<{ readonly code: number | null; readonly said: string; readonly printed: string }> {
      writeFileSync(join(programs, 'script'), script);
      const shell = spawn('/bin/sh', ['-e', join(programs, 'script')], { cwd: directory, env: environment });
      let [said, printed] = ['', ''];
      shell.stderr.on('data', (chunk: Uint8Array) => {
        said += chunk.toString();
      });
      shell.stdin.on('error', () => undefined);
      const closed = once(shell, 'close');
      for await (const line of createInterface({ input: shell.stdout })) {
        said += `${line}\n`;
        printed += `${line}\n`;
        if (line !== 'stay') continue;
        const url = await stay(waiting.shift()!);
        shell.stdin.write(`${url}\n`);
      }
      const [code] = (await closed) as [number | null];
      return { code, said, printed };
    },
    [Symbol.dispose]() {
      for (const child of staying) child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/main.ts';

const entry = fileURLToPath(new URL('../../bin/artifactstore.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** What it wrote after its first line. */
  readonly log: () => string;
  signal(name: NodeJS.Signals): Promise<number | null>;
}

/** A folder of its own, in which the real command line runs. */
export interface Workplace extends Disposable {
  readonly directory: string;
  path(...parts: readonly string[]): string;
  /** Files by path; a directory's path ends with a slash. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  /** A process of its own. */
  start(...args: readonly string[]): ChildProcess;
  /** As `start`, with more variables, and its standard output wherever this descriptor leads. */
  startInto(stdout: number | 'pipe', variables: Readonly<Record<string, string>>, ...args: readonly string[]): ChildProcess;
  /**
   * As `run`, in a process of its own: for what is about processes, and for `serve` and `dev`, which write their log to
   * theirs.
   */
  spawned(...args: readonly string[]): Promise<Finished>;
  /** A script for bash, in which `$A` is the command line: for what is about pipes and files that a shell makes. */
  shell(script: string): Promise<Finished>;
  /** The whole command line, in this process: starting one costs most of a second. */
  run(...args: readonly string[]): Promise<Finished>;
  /** As `run`, with the standard output going elsewhere, such as to another process. */
  runInto(stdout: Writable, ...args: readonly string[]): Promise<Finished>;
  /** As `run`, with `--json`; the parsed output, and the exit code must be 0. */
  json<T = Record<string, unknown>>(...args: readonly string[]): Promise<T>;
  /** Starts `serve` or another command that says where it listens; later commands go there. */
  serve(...args: readonly string[]): Promise<RunningServer>;
}

/** In front of `$A`: runs it as a user whom permissions stop. Root is stopped by none. */
export const asNobody: string = process.getuid?.() === 0 ? 'setpriv --reuid=65534 --regid=65534 --clear-groups' : '';

export function openWorkplace(environment: Readonly<Record<string, string>> = {}): Workplace {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-cli-'));
  const running = new Set<ChildProcess>();
  const variables: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    // The cache of compiled code is shared, or every test would compile everything anew.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'artifactstore-test-compile-cache'),
    ARTIFACTSTORE_AUTH_TOKENS: 'tester=cli-test-token',
    ARTIFACTSTORE_API_TOKEN: 'cli-test-token',
    ...environment,
  };

  const start = (...args: readonly string[]): ChildProcess => begin('pipe', {}, process.execPath, [entry, ...args]);
  const begin = (
    stdout: number | 'pipe',
    more: Readonly<Record<string, string>>,
    command: string,
    args: readonly string[],
  ): ChildProcess => {
    const env = { ...variables, ...more };
    const child = spawn(command, args, { cwd: directory, env, stdio: ['ignore', stdout, 'pipe'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  };
  const runInto = async (stdout: Writable, ...args: readonly string[]): Promise<Finished> => {
    const stderr = collect();
    const code = await main(args, {
      environment: variables,
      directory,
      stdin: Readable.from([]) as NodeJS.ReadStream,
      stdout: stdout as NodeJS.WriteStream,
      stderr: stderr.stream,
    });
    return { code, stdout: '', stderr: await stderr.text() };
  };
  const run = async (...args: readonly string[]): Promise<Finished> => {
    const stdout = collect();
    const ended = await runInto(stdout.stream, ...args);
    return { ...ended, stdout: await stdout.text() };
  };

  return {
    directory,
    path: (...parts) => join(directory, ...parts),
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        const path = join(directory, name);
        mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
        if (!name.endsWith('/')) writeFileSync(path, content);
      }
    },
    start,
    startInto: (stdout, more, ...args) => begin(stdout, more, process.execPath, [entry, ...args]),
    spawned: async (...args) => await finished(start(...args)),
    shell: async (script) => await finished(begin('pipe', { A: `${process.execPath} ${entry}` }, 'bash', ['-c', script])),
    run,
    runInto,
    async json(...args) {
      const { code, stdout, stderr } = await run(...args, '--json');
      if (code !== 0) throw new Error(`artifactstore ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async serve(...args) {
      const child = start(...args);
      const said: string[] = [];
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      createInterface({ input: child.stdout! }).on('line', (line) => {
        said.push(line);
        const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
        if (url !== undefined) resolve(url);
      });
      child.stderr!.on('data', (chunk: Uint8Array) => void said.push(chunk.toString()));
      // With all that it said: its exit may be told before.
      const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
      closed.then((code) => reject(new Error(`the server ended with ${code}: ${said.join('\n')}`)));
      const url = await promise;
      variables.ARTIFACTSTORE_API_URL = url;
      return {
        url,
        port: Number(new URL(url).port),
        process: child,
        log: () => said.join('\n'),
        async signal(name) {
          child.kill(name);
          return await closed;
        },
      };
    },
    [Symbol.dispose]() {
      for (const child of running) child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/** A stream, no terminal, that keeps what it is told. */
function collect(): { readonly stream: NodeJS.WriteStream; text(): Promise<string> } {
  const said: Uint8Array[] = [];
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      said.push(chunk);
      done();
    },
  });
  return {
    stream: stream as NodeJS.WriteStream,
    async text() {
      await new Promise<void>((resolve) => stream.end(resolve));
      return Buffer.concat(said).toString();
    },
  };
}

export async function finished(child: ChildProcess): Promise<Finished> {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  child.stdout?.on('data', (chunk: Uint8Array) => void stdout.push(chunk));
  child.stderr!.on('data', (chunk: Uint8Array) => void stderr.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

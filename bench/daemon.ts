import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server process of this run, on loopback. It is stopped with the run, however the run ends. */
export interface Daemon extends AsyncDisposable {
  readonly url: string;
  /** From the start of the process to its first good answer. */
  readonly startSeconds: number;
  /** The most memory that the process and its children ever had resident, by the kernel's own count. */
  peakResidentBytes(): number;
}

export interface DaemonOptions {
  readonly port: number;
  /** Must answer 2xx when the server is ready. */
  readonly readyPath: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly logPath: string;
}

export async function startDaemon(command: string, parameters: readonly string[], options: DaemonOptions): Promise<Daemon> {
  const log = openSync(options.logPath, 'a');
  const start = performance.now();
  const child = spawn(command, parameters, {
    cwd: options.directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME ?? options.directory, ...options.environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const url = `http://127.0.0.1:${options.port}`;
  await untilReady(child, `${url}${options.readyPath}`, options.logPath);
  const pid = child.pid!;
  return {
    url,
    startSeconds: (performance.now() - start) / 1000,
    peakResidentBytes: () => peakResidentBytes(pid),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const timer = setTimeout(kill, 10_000);
      await ended;
      clearTimeout(timer);
      process.removeListener('exit', kill);
    },
  };
}

/** Of a process and its children; 0 for one that is gone. */
export function peakResidentBytes(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + peakOf(each), 0);
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilReady(child: ChildProcess, url: string, logPath: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const ready = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (ready) return;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${child.spawnfile} did not start: ${readFileSync(logPath, 'utf8').slice(-2000)}`);
    }
    await sleep(10);
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readText(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

function peakOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

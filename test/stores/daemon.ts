import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server process that runs in the foreground, and never longer than this process. */
export interface Daemon {
  readonly pid: number;
  /** Whether it has not ended; a process that ended and was not fetched by its parent yet has ended. */
  alive(): boolean;
  /** Sends a signal that it survives: SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void;
  /** As a crash ends it. */
  kill(): Promise<void>;
  /** Asks it to end, and kills it when that takes too long. */
  stop(): Promise<void>;
}

export interface DaemonOptions {
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/**
 * Between this process and the daemon stands a shell that kills the daemon when this process is gone, however it went.
 */
export async function startDaemon(program: string, args: readonly string[], options: DaemonOptions): Promise<Daemon> {
  const log = openSync(options.logFile, 'a');
  // A program may be a script that waits for another one, as Keycloak's is: what is killed is killed with all of them.
  const script =
    'setsid "$0" "$@" </dev/null >&2 & echo $!; read -r how || how=KILL; ' +
    'if [ $how = KILL ]; then kill -s KILL -- -$! $! 2>/dev/null; else kill -s $how $! 2>/dev/null; fi; wait $!';
  const shell = spawn('/bin/sh', ['-c', script, program, ...args], {
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: options.directory ?? '/', LC_ALL: 'C.UTF-8', ...options.environment },
    stdio: ['pipe', 'pipe', log],
    // An interrupt from the keyboard is for the tests, which end their servers themselves.
    detached: true,
  });
  closeSync(log);
  const exited = once(shell, 'exit');
  const [line] = (await once(createInterface({ input: shell.stdout! }), 'line')) as [string];
  const pid = Number(line);

  const end = async (signal: 'TERM' | 'KILL', patienceMilliseconds: number): Promise<void> => {
    if (shell.exitCode === null && !shell.stdin!.writableEnded) shell.stdin!.end(`${signal}\n`);
    const ended = await Promise.race([exited.then(() => true), sleep(patienceMilliseconds, false, { ref: false })]);
    if (ended) return;
    if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
    await exited;
  };
  return {
    pid,
    alive: () => isAlive(pid),
    signal: (name) => void process.kill(pid, name),
    kill: () => end('KILL', 5000),
    stop: () => end('TERM', 20_000),
  };
}

/** `kill -0` would also find what has ended and waits for its parent. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export interface Patience {
  readonly seconds?: number;
  /** Any status but 5xx by default: a server that has only begun answers 503. */
  readonly isReady?: (status: number) => boolean;
}

/** Waits until the server answers over HTTP and is ready, and says what its log ends with when it does not. */
export async function answering(url: string, daemon: Daemon, logFile: string, patience: Patience = {}): Promise<void> {
  const { seconds = 120, isReady = (status) => status < 500 } = patience;
  const until = Date.now() + seconds * 1000;
  for (;;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      const text = await answer.text();
      if (isReady(answer.status)) return;
      throw new Error(`it answers ${answer.status}: ${text.slice(0, 500)}`);
    } catch (error) {
      const why = daemon.alive() ? (Date.now() > until ? `no answer in ${seconds} s` : undefined) : 'it ended';
      if (why !== undefined)
        throw new Error(`${url}: ${why}; its log ends with: ${readFileSync(logFile, 'utf8').slice(-2000)}`, { cause: error });
    }
    await sleep(50);
  }
}

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Line } from './writer.ts';

export interface WriterOptions {
  readonly directory: string;
  /** Different for each run on the same directory. */
  readonly name: string;
  /** How many files it tries to add before it ends by itself. */
  readonly limit?: number;
  /** Called when the first file was acknowledged; kills the writer by `kill`. `lines` grows with what it says. */
  readonly onFirst?: (kill: () => void, lines: readonly Line[]) => void;
  /** Milliseconds from its start after which it is killed. */
  readonly killAfter?: number;
  /** Up to which length files are committed with the log; none where absent. */
  readonly smallObjectBytes?: number;
  /** A program and its parameters that run the writer. */
  readonly under?: readonly string[];
}

export interface Ended {
  readonly lines: readonly Line[];
  /** The exit code, or the signal that ended it. */
  readonly how: number | string;
  readonly stderr: string;
}

/** Runs `writer.ts` in a process of its own until it ends or is killed. */
export async function runWriter(options: WriterOptions): Promise<Ended> {
  const command = [
    ...(options.under ?? []),
    process.execPath,
    fileURLToPath(new URL('./writer.ts', import.meta.url)),
    options.directory,
    options.name,
    String(options.limit ?? 1e9),
    String(options.smallObjectBytes ?? 0),
  ];
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // One thread for files, so that "the third fsync" means the same thing in every run.
    env: { ...process.env, UV_THREADPOOL_SIZE: options.under === undefined ? '4' : '1' },
  });
  const kill = () => child.kill('SIGKILL');
  const timer = options.killAfter === undefined ? undefined : setTimeout(kill, options.killAfter);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const lines: Line[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    // The last line of a killed process may be cut off: it was not said.
    const line = parseLine(text);
    if (line === undefined) continue;
    const first = line.kind === 'added' && !lines.some(({ kind }) => kind === 'added');
    lines.push(line);
    if (first) options.onFirst?.(kill, lines);
  }
  const how = await ended;
  clearTimeout(timer);
  return { lines, how, stderr };
}

function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

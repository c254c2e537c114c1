import { spawn } from 'node:child_process';

export interface KilledProcess {
  /** What it printed. */
  readonly printed: string;
  /** Whether it was killed, and did not end before. */
  readonly killed: boolean;
}

/** Runs a script until it ends by itself, or is killed this many milliseconds after it printed that many lines. */
export function killAfter(
  script: string,
  options: { readonly parameters: readonly string[]; readonly lines: number; readonly delay: number },
): Promise<KilledProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...options.parameters], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.split('\n').length > options.lines) timer ??= setTimeout(() => child.kill('SIGKILL'), options.delay);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0 || signal === 'SIGKILL') resolve({ printed, killed: signal === 'SIGKILL' });
      else reject(new Error(`the process ended with ${code ?? signal}`));
    });
  });
}

import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Keys are in the memory of a process that uses them, and what `env:NAME` leads to in its environment. So nothing that
 * a crash or a signal leaves behind may have either, from here on, for this process and for those that it starts. No
 * core file is written on Linux, or one without memory. A report of Node.js is written without the environment. And
 * SIGUSR1, which other daemons take as a wish for new log files, opens no debugger: everybody on the machine could
 * connect to it and read all memory.
 *
 * What somebody switches on by a flag of Node.js stays on: `--inspect`, `--heapsnapshot-signal`. May be called again.
 */
export function keepMemoryPrivate(): void {
  if (process.platform === 'linux') leaveNoCore();
  process.report.excludeEnv = true;
  // A listener takes the place of Node's own.
  if (!process.listeners('SIGUSR1').includes(ignore)) process.on('SIGUSR1', ignore);
}

/**
 * With what every thread is started: a report has the environment once more for each. No other option of the process
 * counts in a thread.
 */
export const threadArguments: string[] = ['--report-exclude-env'];

/**
 * All kinds of memory are left out (core(5), `coredump_filter`). Registers stay in it, and the widest of them have the
 * 64 bytes that were copied last, which was a whole token in tests: so the limit of its size ends it altogether, by the
 * program of util-linux, since Node.js cannot set one. One byte and not none: a core file that goes to a program by a
 * pipe has no limit but this one. Not everywhere is /proc there, or that program: then the service's own limit is left.
 */
function leaveNoCore(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {}
  try {
    const [limits, pattern] = [readFileSync('/proc/self/limits', 'utf8'), readFileSync('/proc/sys/kernel/core_pattern', 'utf8')];
    if (mayLeaveCore(limits, pattern)) run('prlimit', ['--pid', String(process.pid), '--core=1:1']);
  } catch {}
}

/** By the limits of a process and the pattern of core files: a limit of 0 ends those that are files, and no others. */
export function mayLeaveCore(limits: string, pattern: string): boolean {
  const limit = /^Max core file size +(\S+)/m.exec(limits)?.[1];
  return limit !== '1' && (limit !== '0' || pattern.startsWith('|'));
}

/** What runs other programs is loaded where it is needed: most shells have no core files. */
function run(program: string, args: readonly string[]): void {
  process.getBuiltinModule('node:child_process').spawnSync(program, args, { stdio: 'ignore', timeout: 2000 });
}

function ignore(): void {}

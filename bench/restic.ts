import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { findProgram } from './program.ts';

/** Runs a command of Debian's restic on a repository of its own; rejects unless it ends with 0. */
export type Restic = (...parameters: readonly string[]) => Promise<void>;

/** A new, empty repository below `directory`, which is made; undefined where restic is not installed. */
export async function openRestic(directory: string): Promise<Restic | undefined> {
  const program = findProgram('restic');
  if (program === undefined) return undefined;
  mkdirSync(directory, { recursive: true });
  const environment = {
    PATH: process.env.PATH,
    HOME: directory,
    RESTIC_REPOSITORY: join(directory, 'restic'),
    RESTIC_PASSWORD: 'bench',
    RESTIC_CACHE_DIR: join(directory, 'restic-cache'),
  };
  const restic: Restic = async (...parameters) => {
    const child = spawn(program, ['--quiet', ...parameters], { cwd: directory, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
    process.removeListener('exit', kill);
    if (code !== 0) throw new Error(`restic ${parameters.join(' ')} ended with ${code}`);
  };
  await restic('init');
  return restic;
}

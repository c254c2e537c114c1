import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';

export const run: typeof execFile.__promisify__ = promisify(execFile);
export const root: string = join(import.meta.dirname, '..');
/** A directory of this run of tests. */
export const temporary: string = mkdtempSync(join(tmpdir(), 'artifactstore-package-'));

after(() => rmSync(temporary, { recursive: true, force: true }));

export function node(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return run(process.execPath, args, { env: environment(), ...options });
}

/**
 * Without what `npm test` and the test runner set for their own children, and with a home of its own to keep caches out
 * of the user's.
 */
export function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|ARTIFACTSTORE_)/i.test(name));
  return { ...Object.fromEntries(kept), HOME: temporary, XDG_CACHE_HOME: join(temporary, 'cache') };
}

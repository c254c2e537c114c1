import { run } from './cli/run.ts';
import { version } from './version.ts';

/** Runs one command and resolves to its exit code. The parts are loaded when a command asks for them. */
export function main(argv: readonly string[]): Promise<number> {
  return run(argv, {
    version,
    environment: process.env,
    directory: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    openStore: async (config, options) => (await import('./compose.ts')).openStore(config, options),
    certify: async (config, options) => (await import('./certify-s3.ts')).certifyS3(config, options),
  });
}

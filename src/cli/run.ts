import { CommanderError } from 'commander';
import { localFileError } from '../kernel/file-error.ts';
import type { Surroundings } from './context.ts';
import type { CommandTable } from './definition.ts';
import { exitCode, exitCodeOf } from './exit.ts';
import { createOutput } from './output.ts';
import { createProgram } from './program.ts';

/** Runs one command, of the core or of `more`, to its end and answers the exit code. Never throws. */
export async function run(argv: readonly string[], surroundings: Surroundings, more: CommandTable = {}): Promise<number> {
  const { stdout, stderr, environment } = surroundings;
  let pipeClosed = false;
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has had enough (`| head`): that is its right, and nothing failed.
      if (error.code !== 'EPIPE') throw error;
      if (pipeClosed) return;
      pipeClosed = true;
      process.exit(exitCode.done);
    });
  let code: number = exitCode.done;
  const program = createProgram(
    surroundings,
    (chosen) => {
      code = chosen;
    },
    more,
  );
  try {
    await program.parseAsync(argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv], { from: 'user' });
    return code;
  } catch (thrown) {
    const json = argv.includes('--json');
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return exitCode.done;
      if (json) stderr.write(`${JSON.stringify({ code: 'usage', detail: thrown.message.replace(/^error: /, '') })}\n`);
      return exitCode.usage;
    }
    const error = inWords(thrown);
    createOutput({ stdout, stderr, environment, json, quiet: false, color: !argv.includes('--no-color') }).error(error);
    if (environment.ARTIFACTSTORE_TEST_TRACE !== undefined && error instanceof Error) stderr.write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}

/** The last net under errors of the operating system that no command knew more about: a sentence with the path, and the cause kept. */
function inWords(error: unknown): unknown {
  return localFileError(error, (error as NodeJS.ErrnoException | undefined)?.path ?? '', 'used');
}

import { type Command, CommanderError } from 'commander';
import { printableJson } from '../kernel/format/printable.ts';
import { fileReason, localFileError } from '../runtime/file-error.ts';
import type { Surroundings } from './context.ts';
import type { CommandTable } from './definition.ts';
import { exitCode, exitCodeOf } from './exit.ts';
import { createProgram } from './program.ts';
import { outletOf } from './terminal/outlet.ts';
import { createOutput, type Output } from './terminal/output.ts';

/** How long a reader may take nothing at all of what a command has written, once the command is done. */
const patienceMilliseconds = 300_000;
/** How long it may when somebody wants the command to end. */
const hurriedMilliseconds = 1000;

/** Runs one command, of the core or of `more`, to its end and answers the exit code. Never throws. */
export async function run(
  argv: readonly string[],
  surroundings: Surroundings,
  more: CommandTable = {},
  patience: number = patienceMilliseconds,
): Promise<number> {
  const [out, err] = [outletOf(surroundings.stdout), outletOf(surroundings.stderr)];
  const code = await runCommand(argv, surroundings, more);
  const untaken = await out.settle(code === exitCode.stopped || out.hurried ? hurriedMilliseconds : patience);
  const fault = out.failure === undefined ? (untaken === 0 ? undefined : tellUntaken(untaken)) : tellFailure(out.failure);
  if (fault !== undefined) {
    const detail = `${fault} What the command has done stays done.`;
    const { lost } = out;
    if (argv.includes('--json')) err.write(jsonLine({ code: 'output_failed', detail, info: { exit_code: code, lost } }));
    else outputOf(argv, surroundings).warn(`error: ${detail} (output_failed)${lost === '' ? '' : `\nIt had to say:\n${lost.trimEnd()}`}`);
  }
  await err.settle(hurriedMilliseconds);
  return code === exitCode.done && fault !== undefined ? exitCode.failed : code;
}

async function runCommand(argv: readonly string[], surroundings: Surroundings, more: CommandTable): Promise<number> {
  const { stderr, environment } = surroundings;
  let code: number = exitCode.done;
  const program = createProgram(
    surroundings,
    (chosen) => {
      code = chosen;
    },
    more,
  );
  try {
    if (argv[0] === 'help') refuseUnknown(program, argv.slice(1));
    await program.parseAsync(argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv], { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return exitCode.done;
      if (argv.includes('--json')) outletOf(stderr).write(jsonLine({ code: 'usage', detail: thrown.message.replace(/^error: /, '') }));
      return exitCode.usage;
    }
    const error = inWords(thrown);
    // Where both go to one place, what was said before stands before it.
    await outletOf(surroundings.stdout).settle(hurriedMilliseconds);
    outputOf(argv, surroundings).error(error);
    if (environment.ARTIFACTSTORE_TEST_TRACE !== undefined && error instanceof Error) outletOf(stderr).write(`${error.stack}\n`);
    return exitCodeOf(error);
  }
}

/** Help on a command that is not there would be the help of all. */
function refuseUnknown(program: Command, words: readonly string[]): void {
  let command: Command | undefined = program;
  for (const word of words.filter((each) => !each.startsWith('-'))) {
    command = command.commands.find((inner) => inner.name() === word);
    if (command === undefined) program.error(`error: unknown command '${word}'`);
  }
}

/**
 * The last net under errors of the operating system that no command knew more about: a sentence with the path, and the
 * cause kept.
 */
function inWords(error: unknown): unknown {
  return localFileError(error, (error as NodeJS.ErrnoException | undefined)?.path ?? '', 'used');
}

/** For what is said outside of a command, whose options may not be readable. */
function outputOf(argv: readonly string[], { stdout, stderr, environment }: Surroundings): Output {
  return createOutput({ stdout, stderr, environment, json: argv.includes('--json'), quiet: false, color: !argv.includes('--no-color') });
}

function jsonLine(value: unknown): string {
  return `${printableJson(JSON.stringify(value))}\n`;
}

function tellUntaken(bytes: number): string {
  return `Nobody has read the last ${bytes.toLocaleString('en')} bytes of the output.`;
}

function tellFailure(error: NodeJS.ErrnoException): string {
  return `The output could not be written: ${fileReason(error)}.`;
}

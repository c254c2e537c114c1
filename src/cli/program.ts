import { Command, Option } from 'commander';
import { printable, printableMessage } from '../kernel/format/printable.ts';
import { commands } from './command-table.ts';
import { type Context, type GlobalOptions, readCommandConfig, type Surroundings } from './context.ts';
import type { CommandTable } from './definition.ts';
import { exitCode } from './exit.ts';
import { outletOf } from './terminal/outlet.ts';
import { createOutput } from './terminal/output.ts';

/** The whole command line, with `more` commands than the core's own; `parseAsync` runs it. */
export function createProgram(surroundings: Surroundings, exitWith: (code: number) => void, more: CommandTable = {}): Command {
  const program: Command = new Command('artifactstore')
    .description('Registry and storage of durable artifacts.')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => outletOf(surroundings.stdout).write(text),
      writeErr: (text) => outletOf(surroundings.stderr).write(text),
      // With --json the caller says it as JSON.
      outputError: (text, write) => {
        if (program.opts<GlobalOptions>().json !== true) write(usageText(text));
      },
    })
    .showSuggestionAfterError()
    .exitOverride()
    .addOption(new Option('--api-url <url>', 'the server to talk to (ARTIFACTSTORE_API_URL)'))
    .option('--json', 'print JSON, for programs')
    .option('--quiet', 'print no progress and no notes')
    .option('--no-color', 'print no colours')
    .version(surroundings.version, '--version', 'print the version')
    .addHelpText(
      'after',
      `
Start here:
  artifactstore dev                 run a server
  artifactstore push ./results      in another terminal

The token comes from ARTIFACTSTORE_API_TOKEN, ARTIFACTSTORE_API_TOKEN_FILE or
ARTIFACTSTORE_IDENTITY, never from an option.
Configuration: docs/operate.md.`,
    )
    .helpCommand(false);
  refuseEmpty(program);
  addCommands(program, { ...commands, ...more }, () => createContext(surroundings, program.opts<GlobalOptions>(), exitWith));
  return program;
}

/** Loads the definitions of all commands; help and documentation that shows everything needs them. */
export async function defineEverything(program: Command): Promise<void> {
  for (const command of program.commands) {
    await loaders.get(command)?.();
    await defineEverything(command);
  }
}

const loaders = new WeakMap<Command, () => Promise<void>>();

function addCommands(parent: Command, entries: CommandTable, context: () => Context): void {
  for (const [name, { summary, load, commands: inner = {} }] of Object.entries(entries)) {
    const command = parent
      .command(name)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
      .helpCommand(false);
    addCommands(command, inner, context);
    let defined = false;
    loaders.set(command, async () => {
      if (defined || load === undefined) return;
      defined = true;
      (await load())(command, context);
      refuseEmpty(command);
    });
  }
  parent.hook('preSubcommand', async (_parent, command) => {
    await loaders.get(command)?.();
    handOnOptions(parent, command);
  });
}

/**
 * An empty argument or value is a mistake, mostly a variable that is not set; taken for a path it would mean the
 * working directory. Unquoted, such a variable lets an option take the next one as its value: `--other-bucket $B
 * --dry-run` would be no dry run. Held here for every command there is. A reason is no name of anything: the registry
 * says what it wants of an empty one.
 */
function refuseEmpty(command: Command): void {
  const refuse = (what: string): never => command.error(`error: ${what}; is a variable not set?`, { exitCode: exitCode.usage });
  for (const option of command.options)
    command.on(`option:${option.name()}`, (value: string | null | undefined) => {
      if (value === '' && option.long !== '--reason') refuse(`the value of ${option.flags} is empty`);
      if (value && isOption(value, command)) refuse(`the value of ${option.flags} is missing, and ${value} follows it`);
    });
  command.hook('preAction', (_command, called) => {
    if (called !== command) return;
    const index = called.args.indexOf('');
    if (index >= 0) refuse(`the argument ${called.registeredArguments[index]?.name() ?? index + 1} is empty`);
  });
}

/** Whether a word is an option of a command or of those around it, alone or with its value. */
function isOption(word: string, command: Command): boolean {
  const [name] = word.split('=', 1);
  const own = command.options.some(({ long, short }) => name === long || word === short);
  return own || (command.parent !== null && isOption(word, command.parent));
}

function createContext(surroundings: Surroundings, globals: GlobalOptions, exitWith: (code: number) => void): Context {
  const { stdout, stderr, environment } = surroundings;
  const output = createOutput({
    stdout,
    stderr,
    environment,
    json: globals.json === true,
    quiet: globals.quiet === true,
    color: globals.color !== false,
  });
  let config: Context['config'] | undefined;
  return {
    ...surroundings,
    globals,
    output,
    exitWith,
    get config() {
      config ??= readCommandConfig(surroundings, globals);
      return config;
    },
  };
}

/**
 * An option behind `backup verify` is read as the outer command's where that has one of the name. It is the inner
 * one's; and one that the inner command does not have, as in `events verify --since 3`, would do nothing.
 */
function handOnOptions(parent: Command, command: Command): void {
  if (parent.parent === null) return;
  for (const option of parent.options) {
    const name = option.attributeName();
    if (parent.getOptionValueSource(name) !== 'cli') continue;
    if (!command.options.some((own) => own.attributeName() === name))
      command.error(`error: option '${option.flags}' is for '${parent.name()}', not for '${parent.name()} ${command.name()}'`, {
        exitCode: exitCode.usage,
      });
    command.setOptionValueWithSource(name, parent.getOptionValue(name), 'cli');
  }
}

/** What Commander says, of arguments that may hold anything: a line, and perhaps one with a guess at what was meant. */
function usageText(text: string): string {
  const [, said = '', guess = ''] = /^([\s\S]*?)(\n\(Did you mean [^\n]*\))?\n*$/.exec(text) ?? [];
  return `${printableMessage(said)}${printable(guess)}\n`;
}

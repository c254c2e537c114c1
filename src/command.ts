import type { Command } from 'commander';
import type { Config } from './config/config.ts';

/** Gives a command its arguments, options, examples and action. `C` is what it works with. */
export type CommandDefinition<C = CommandContext> = (command: Command, context: () => C) => void;

export interface CommandEntry<C = CommandContext> {
  readonly summary: string;
  /** Absent for a word that only groups others. */
  readonly load?: () => Promise<CommandDefinition<C>>;
  readonly commands?: CommandTable<C>;
}

/** Commands by their words. */
export type CommandTable<C = CommandContext> = Readonly<Record<string, CommandEntry<C>>>;

/** What a command works with, whoever wrote it: the contract between the command line and commands from outside. */
export interface CommandContext {
  readonly version: string;
  /** Relative paths start here. */
  readonly directory: string;
  /** Read once; `--api-url` overrides the environment. */
  readonly config: Config;
  readonly output: CommandOutput;
  /** The exit code of a command that ends without an error and yet not with 0. */
  exitWith(code: number): void;
}

/** What a command says: results on standard output, everything else on standard error. */
export interface CommandOutput {
  /** Whether the result is wanted as JSON. */
  readonly json: boolean;
  /** The result, as one line of JSON. */
  value(value: unknown): void;
  line(text: string): void;
  /** Rows under a head, in columns that fit the terminal. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>;
  /** For people, on standard error; `--quiet` and `--json` leave it out. */
  note(text: string): void;
  /** On standard error, even with `--quiet`. */
  warn(text: string): void;
  error(error: unknown): void;
  /** Standard error, when somebody watches it: a line of it may be written over. */
  readonly watched: NodeJS.WriteStream | undefined;
}

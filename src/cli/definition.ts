import type { Command } from 'commander';
import type { Context } from './context.ts';

/** Gives a command its arguments, options, examples and action. */
export type Definition = (command: Command, context: () => Context) => void;

export interface CommandEntry {
  readonly summary: string;
  /** Absent for a word that only groups others. */
  readonly load?: () => Promise<Definition>;
  readonly commands?: CommandTable;
}

/** Commands by their words. */
export type CommandTable = Readonly<Record<string, CommandEntry>>;

import type { CommandDefinition, CommandEntry, CommandTable as Table } from '../command.ts';
import type { Context } from './context.ts';

/** A command of the core, which works with more than one from outside. */
export type Definition = CommandDefinition<Context>;

export type Entry = CommandEntry<Context>;

export type CommandTable = Table<Context>;

import type { Command } from 'commander';
import type { Context } from './context.ts';

/** Gives a command its arguments, options, examples and action. */
export type Definition = (command: Command, context: () => Context) => void;

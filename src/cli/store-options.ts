import type { Command } from 'commander';

/** What every command of a store is given. */
export interface StoreOptions {
  readonly settings: string;
}

/** Not `--env-file`: Node takes an option of that name for its own, wherever it stands. */
export function addStoreOptions(command: Command): void {
  command.requiredOption('--settings <file>', 'NAME=value lines with the store, its keys and the bucket');
}

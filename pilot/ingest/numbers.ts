import { InvalidArgumentError } from 'commander';

/** Reads an option; what is no such number is refused with exit code 2. */
export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 to 9999.');
  return Number(text);
}

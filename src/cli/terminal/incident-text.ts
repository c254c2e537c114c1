import type { Incident } from '../../registry/upkeep/OPERATOR.ts';

/** One line for people. */
export function incidentText({ message, error }: Incident): string {
  return `${message}: ${error instanceof Error ? error.message : String(error)}`;
}

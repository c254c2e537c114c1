import { createHash } from 'node:crypto';

/** What may be shown of an id: enough to compare two, too little to use one. */
export function fingerprint(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

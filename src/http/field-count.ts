import type { IncomingMessage } from 'node:http';

/** How many fields of this name, in lowercase, a request has. Node tells of one where several are not allowed. */
export function fieldCount({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const each = rawHeaders[index]!;
    if (each.length === name.length && each.toLowerCase() === name) count += 1;
  }
  return count;
}

import { randomUUID } from 'node:crypto';

/** Where a pull keeps files that have no name yet: a folder of its own at the top of the directory that it fills. */
export function newDraftFolder(): string {
  return `${prefix}${randomUUID()}`;
}

/**
 * Whether a folder's name is that of such a folder, at the top of what was pulled, which may be below what is looked
 * at. One that is left over from a pull that was killed is no content.
 */
export function isDraftFolder(name: string): boolean {
  return pattern.test(name);
}

const prefix = '.artifactstore-';
const pattern = /^\.artifactstore-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

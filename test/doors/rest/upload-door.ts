import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { localRoot } from '../../registry/open-registry.ts';
import { authorization, type Door, openDoor } from './open-door.ts';

/** A door for all tests of a file, and the id of an open package behind it. Both are there when the first test runs. */
export let door: Door;
export let id: string;
before(async () => {
  door = await openDoor();
  ({ id } = await door.newPackage());
});
after(() => door[Symbol.asyncDispose]());

export const put = (path: string, body: NonNullable<RequestInit['body']> | null, headers: Record<string, string> = {}): Promise<Response> =>
  door.call(`/packages/${id}/files/${path}`, {
    method: 'PUT',
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
/** The head of a PUT as it goes over the wire, with these header lines. */
export const head = (path: string, more: string): string =>
  `PUT /packages/${id}/files/${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${more}\r\n`;
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

/** Runs it, and sees that it left nothing: no event, no draft. */
export async function changesNothing(work: () => Promise<void>): Promise<void> {
  // What an earlier sender broke off may still be on its way into the log.
  let before = await door.lastSequence();
  for (let earlier = -1; earlier !== before; before = await door.lastSequence()) {
    earlier = before;
    await setTimeout(25);
  }
  await work();
  assert.equal(await door.lastSequence(), before);
  // A draft is thrown away beside the answer, soon after it.
  while ((await drafts()).length > 0) await setTimeout(5);
}

async function drafts(): Promise<readonly string[]> {
  return await readdir(join(localRoot(door.store.config), 'drafts')).catch(() => []);
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { authorization } from '../open-door.ts';
import { door, id, put } from '../upload-door.ts';

export const sha256 = (bytes: Uint8Array | string): string => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

export const patch = (
  where: string,
  offset: number,
  complete: '?0' | '?1',
  body: NonNullable<RequestInit['body']> | null,
  headers: Record<string, string> = {},
): Promise<Response> =>
  door.call(where, {
    method: 'PATCH',
    body,
    headers: {
      'content-type': 'application/partial-upload',
      'upload-offset': String(offset),
      'upload-complete': complete,
      ...headers,
    },
  });

export async function begin(path: string, body: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await put(path, body, { 'upload-complete': '?0', ...headers });
  assert.equal(answer.status, 201, await answer.text());
  assert.match(answer.headers.get('location')!, /^\/uploads\/[0-9a-f-]{36}$/);
  return answer.headers.get('location')!;
}

export async function holds(path: string, bytes: string | Uint8Array): Promise<void> {
  const answer = await door.call(`/packages/${id}/files/${path}`);
  assert.equal(answer.status, 200);
  assert.equal(Buffer.compare(Buffer.from(await answer.arrayBuffer()), Buffer.from(bytes)), 0);
}

export const offsetOf = (answer: Response): [string | null, string | null] => [
  answer.headers.get('upload-offset'),
  answer.headers.get('upload-complete'),
];

/** The first lines of a PATCH that is written by hand. */
export function patchLine(where: string, offset: number): string {
  const type = 'content-type: application/partial-upload';
  return `PATCH ${where} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nupload-offset: ${offset}\r\n${type}\r\n`;
}

/** Reads from the socket until what came has this form. */
export async function reads(socket: Socket, form: RegExp): Promise<RegExpExecArray> {
  let text = '';
  for (;;) {
    const found = form.exec(text);
    if (found !== null) return found;
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString('latin1');
  }
}

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Door, openDoor } from '../../open-door.ts';

/** A door for all tests of a file. It is there when the first test runs. */
export let door: Door;
before(async () => {
  door = await openDoor();
});
after(() => door[Symbol.asyncDispose]());

export const bytesType = 'application/offset+octet-stream';

export interface Sent {
  readonly body?: NonNullable<RequestInit['body']>;
  readonly [header: string]: unknown;
}

/** A request of tus; `body` is sent as its bytes. */
export async function ask(method: string, path: string, { body, ...headers }: Sent = {}): Promise<Response> {
  return await door.call(path, {
    method,
    headers: {
      'tus-resumable': '1.0.0',
      ...(body === undefined ? {} : { 'content-type': bytesType }),
      ...(headers as Record<string, string>),
    },
    ...(body === undefined ? {} : { body }),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
}

export function metadata(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** A new upload's path. */
export async function create(headers: Sent): Promise<string> {
  const response = await ask('POST', '/uploads', headers);
  assert.equal(response.status, 201, await response.text());
  assert.equal(response.headers.get('tus-resumable'), '1.0.0');
  return response.headers.get('location')!;
}

export async function patch(
  path: string,
  offset: number | string,
  body: NonNullable<RequestInit['body']>,
  more: Sent = {},
): Promise<Response> {
  return await ask('PATCH', path, { body, 'upload-offset': String(offset), ...more });
}

export async function offsetOf(path: string): Promise<number> {
  const response = await ask('HEAD', path);
  assert.equal(response.status, 200);
  return Number(response.headers.get('upload-offset'));
}

/** Metadata of a file in a new package, and what asks for its bytes. */
export async function target(
  path = 'dir/file',
): Promise<{ readonly packageId: string; readonly metadata: string; read(): Promise<Response> }> {
  const { id } = await door.newPackage();
  return {
    packageId: id,
    metadata: metadata({ package_id: id, relative_path: path, media_type: 'text/plain', filename: 'ü.txt' }),
    read: () => door.call(`/packages/${id}/files/${path}`),
  };
}

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { extract } from 'tar-stream';
import { bytesBody } from '../../../../src/client/wire/body.ts';
import type { NewFile } from '../../../../src/registry/REGISTRY.ts';
import { localRoot } from '../../../registry/open-registry.ts';
import { assertProblem, type Door, openDoor, until } from '../open-door.ts';

const large = randomBytes(3_000_001);
const files: readonly (readonly [path: string, bytes: Uint8Array, annotations?: Record<string, string>])[] = [
  ['a', Buffer.from('one')],
  ['bin/run', Buffer.from('#!/bin/sh\n'), { mode: 'executable' }],
  ['empty', Buffer.alloc(0)],
  ['large', large],
  ['long/'.repeat(100) + 'x'.repeat(200), Buffer.from('deep')],
  ['piece', randomBytes(262_144)],
  ['ü/😀.txt', Buffer.from('named')],
  ...Array.from({ length: 200 }, (_, index) => [`many/${index}`, randomBytes(index * 331)] as const),
];

async function sealed(door: Door): Promise<string> {
  const { id } = await door.newPackage();
  async function* all(): AsyncGenerator<NewFile> {
    for (const [relative_path, bytes, annotations] of files)
      yield { relative_path, body: bytesBody(bytes), ...(annotations === undefined ? {} : { annotations }) };
  }
  await door.registry.files.addMany(id, all());
  await door.registry.packages.finalize(id);
  return id;
}

const ask = (door: Door, id: string, relative_paths: unknown): Promise<Response> =>
  door.json(`/packages/${id}/archive`, { relative_paths });

test('files that are found at once have only the annotations that are asked for', async () => {
  await using door = await openDoor();
  const { id } = await door.newPackage();
  const annotations = { mode: 'executable', note: 'x'.repeat(1_000) };
  await door.registry.files.add(id, { relative_path: 'run', body: bytesBody(Buffer.from('#!')), annotations });
  for (const [options, expected] of [
    [{}, annotations],
    [{ annotations: ['mode'] }, { mode: 'executable' }],
    [{ annotations: [] }, {}],
  ] as const) {
    const [found] = await door.registry.files.findMany(id, ['run'], options);
    assert.deepEqual([found!.file.annotations, (await found!.open()).file.annotations], [expected, expected]);
  }
});

test('some files of a sealed package come as a tar archive, in the order in which they were asked for', async () => {
  await using door = await openDoor();
  const id = await sealed(door);
  const asked = files.toReversed();
  const response = await ask(
    door,
    id,
    asked.map(([path]) => path),
  );
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get('content-type'), 'application/x-tar');
  assert.equal(response.headers.get('content-disposition'), `attachment; filename="${id}.tar"`);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.headers.get('content-length'), String(bytes.length));

  const reader = extract();
  reader.end(bytes);
  const entries: (readonly [name: string, mode: number, mtime: string, bytes: Buffer])[] = [];
  for await (const entry of reader) {
    const { name, mode, mtime } = entry.header;
    entries.push([name, mode!, mtime!.toISOString(), Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>))]);
  }
  const { finalized_at } = (await door.registry.packages.get(id))!;
  assert.deepEqual(
    entries,
    asked.map(([path, content, annotations]) => [
      path,
      annotations?.mode === 'executable' ? 0o755 : 0o644,
      `${finalized_at!.slice(0, 19)}.000Z`,
      Buffer.from(content),
    ]),
  );
  assert.equal((await ask(door, id, ['empty'])).headers.get('content-length'), '1536');
});

test('what can not be answered whole is refused, and says which file it is', async () => {
  await using door = await openDoor();
  const id = await sealed(door);
  for (const [paths, status, code, field] of [
    [['a', 'none'], 404, 'file_not_found', '/relative_paths/1'],
    [['a', 'a'], 400, 'malformed_request', '/relative_paths'],
    [['a', '../a'], 400, 'invalid_path', '/relative_paths/1'],
    [[], 422, 'invalid_value', '/relative_paths'],
    [Array.from({ length: 501 }, (_, index) => `${index}`), 422, 'invalid_value', '/relative_paths'],
    ['a', 400, 'malformed_request', '/relative_paths'],
  ] as const) {
    const problem = await assertProblem(await ask(door, id, paths), status, code);
    assert.equal(problem.field, field);
    if (paths.length === 501) assert.deepEqual(problem.info, { bound: 'named_files', limit: 500 });
  }
  await assertProblem(await ask(door, '01890000-0000-7000-8000-000000000000', ['a']), 404, 'package_not_found');
  await assertProblem(await ask(door, (await door.newPackage()).id, ['a']), 409, 'package_not_finalized');
  await assertProblem(await door.call(`/packages/${id}/archive`, { method: 'POST', body: 'a' }), 415, 'unsupported_media_type');
});

test('damaged bytes are never given out: at the start they are a problem, later they break the answer off', async () => {
  await using door = await openDoor({ environment: { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' } });
  const id = await sealed(door);
  for (const damaged of ['bin/run', 'large']) {
    const file = (await door.registry.files.find(id, damaged))!;
    const path = join(localRoot(door.store.config), file.locations[0]!.object_key);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
  }
  await assertProblem(await ask(door, id, ['a', 'bin/run', 'piece']), 500, 'integrity_failure');
  const broken = await ask(door, id, ['a', 'large', 'piece']);
  assert.equal(broken.status, 200);
  await assert.rejects(broken.arrayBuffer());
  assert.equal((await ask(door, id, ['a', 'piece'])).status, 200);
});

test('what is read ahead counts as memory of its caller, until the answer has ended', async () => {
  await using door = await openDoor({ limits: { bufferedBytes: 4_000_000, bufferedWait: 200 } });
  const id = await sealed(door);
  const unread = new AbortController();
  const held = await door.call(`/packages/${id}/archive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ relative_paths: ['large', ...files.slice(8).map(([path]) => path)] }),
    signal: unread.signal,
  });
  assert.equal(held.status, 200);
  const { info } = (await assertProblem(await ask(door, id, ['a']), 503, 'too_busy')) as { readonly info: { readonly bound: string } };
  assert.equal(info.bound, 'buffered_bytes');
  unread.abort();
  await held.arrayBuffer().catch(() => undefined);
  await until(() => door.lines.some((line) => line.includes('the client left before the answer was whole')));
  while ((await ask(door, id, ['a'])).status !== 200) await sleep(20);
});

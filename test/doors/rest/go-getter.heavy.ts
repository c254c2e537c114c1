import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { chunks } from '../../../src/registry/conformance/samples.ts';
import { openDoor } from './open-door.ts';

const run = promisify(execFile);
/** Of `go install github.com/hashicorp/go-getter/cmd/go-getter@v1.8.10`: the library of Nomad's artifacts. */
const program = process.env.ARTIFACTSTORE_TEST_GO_GETTER ?? 'go-getter';

test('go-getter fetches a committed object by its address and its checksum, and unpacks an archive', async (context) => {
  // Without arguments it says how it is used, and ends with 1.
  const missing = await run(program).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
  if (missing) return context.skip('go-getter is not installed; name it in ARTIFACTSTORE_TEST_GO_GETTER');
  // It sends no token: everybody may read.
  await using door = await openDoor({ anonymousRead: true, allowedHosts: [] });
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const plain = randomBytes(1_500_000);
  await mkdir(join(directory, 'in'));
  await writeFile(join(directory, 'in', 'content'), plain);
  await run('tar', ['--create', '--gzip', '--file', join(directory, 'app.tar.gz'), '--directory', join(directory, 'in'), 'content']);
  const files = { app: plain, 'app.tar.gz': await readFile(join(directory, 'app.tar.gz')) };
  const { writeSessions } = door.registry;
  const objects = Object.entries(files).map(([name, bytes]) => ({ name, sha256: hex(bytes), size_bytes: bytes.length }));
  const request = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
  const { id } = (await writeSessions.open(request, { idempotencyKey: 'k' })).record;
  for (const [name, bytes] of Object.entries(files)) await writeSessions.put(id, name, chunks(bytes));
  const committed = (await (await door.json(`/write-sessions/${id}/commit`, undefined)).json()) as {
    readonly objects: Readonly<Record<string, { readonly url: string; readonly sha256: string }>>;
  };
  const address = (name: string, sha256 = committed.objects[name]!.sha256) =>
    `${door.url}${committed.objects[name]!.url}?checksum=sha256:${sha256}`;

  await run(program, ['-mode', 'file', address('app'), join(directory, 'out')]);
  assert.equal(Buffer.compare(await readFile(join(directory, 'out')), plain), 0);
  // What is there already is asked for from there on.
  await writeFile(join(directory, 'half'), plain.subarray(0, 700_000));
  await run(program, ['-mode', 'file', address('app'), join(directory, 'half')]);
  assert.equal(Buffer.compare(await readFile(join(directory, 'half')), plain), 0);
  await run(program, ['-mode', 'dir', address('app.tar.gz'), join(directory, 'unpacked')]);
  assert.equal(Buffer.compare(await readFile(join(directory, 'unpacked', 'content')), plain), 0);
  await run(program, ['-mode', 'file', `${address('app.tar.gz')}&archive=false`, join(directory, 'kept.tar.gz')]);
  assert.equal(Buffer.compare(await readFile(join(directory, 'kept.tar.gz')), files['app.tar.gz']), 0);
  await assert.rejects(run(program, ['-mode', 'file', address('app', hex(files['app.tar.gz'])), join(directory, 'wrong')]), /[Cc]hecksum/);
});

function hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

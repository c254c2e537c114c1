import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RemoteRegistry } from '../../../src/client/connect.ts';
import { type Pushed, type PushOptions, pushDirectory } from '../../../src/client/push/push-directory.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type OpenServer, openServer } from '../open-server.ts';

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const size = 12_000_000;

describe('a push of a large file that is stopped', () => {
  let server: OpenServer;
  let registry: RemoteRegistry;
  let trees = 0;
  before(async () => {
    server = await openServer();
    registry = server.connect();
  });
  after(() => server.close());

  const at = (...parts: readonly string[]): string => join(server.directory, ...parts);
  function tree(bytes: Uint8Array): string {
    const directory = at(`tree-${++trees}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'large.bin'), bytes, { mode: 0o755 });
    return directory;
  }
  const push = async (directory: string, options: PushOptions = {}): Promise<Pushed> =>
    await pushDirectory(registry, directory, input, { cacheDirectory: at('cache'), resumableAbove: 1_000_000, ...options });

  /** A push that is stopped when the server was sent so much. */
  async function stopped(directory: string, bytes: number, options: PushOptions = {}): Promise<void> {
    const stopping = new AbortController();
    let done = 0;
    const onDone = (more: number): void => {
      done += more;
      if (done >= bytes) stopping.abort();
    };
    await assert.rejects(push(directory, { signal: stopping.signal, onDone, ...options }), (error) =>
      isArtifactstoreError(error, 'cancelled'),
    );
  }

  async function assertWhole(pushed: Pushed, bytes: Uint8Array): Promise<void> {
    const file = (await registry.files.find(pushed.package_id, 'large.bin'))!;
    assert.equal(file.digest_sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.deepEqual(file.annotations, { mode: 'executable' });
  }

  test('is continued by the same command, which sends only what is missing', async () => {
    const bytes = randomBytes(size);
    const directory = tree(bytes);
    await stopped(directory, 9_000_000);
    const dones: number[] = [];
    const pushed = await push(directory, { onDone: (more) => dones.push(more) });
    assert.ok(pushed.uploaded_bytes > 0 && pushed.uploaded_bytes < size - 4_000_000, `${pushed.uploaded_bytes}`);
    assert.equal(
      dones.reduce((sum, more) => sum + more, 0),
      size,
    );
    assert.equal(
      dones.find((more) => more > 0),
      size - pushed.uploaded_bytes,
      'what was there is shown first',
    );
    await assertWhole(pushed, bytes);
    assert.deepEqual(readdirSync(at('cache', 'uploads')), []);
  });

  test('seals no wrong bytes when the file changed in between, and sends it as it is now', async () => {
    const bytes = randomBytes(size);
    const directory = tree(bytes);
    await stopped(directory, 9_000_000);
    const others = Buffer.from(bytes);
    others.writeUInt8(others.readUInt8(5) ^ 1, 5);
    writeFileSync(join(directory, 'large.bin'), others);
    const pushed = await push(directory);
    assert.equal(pushed.uploaded_bytes, size);
    await assertWhole(pushed, others);
  });

  test('begins again where what was sent before are other bytes, or is not there any more', async () => {
    const bytes = randomBytes(size);
    const directory = tree(bytes);
    await stopped(directory, 9_000_000);
    const uploads = server.store.as('tester').uploads!;
    const wrong = await uploads.begin({ size_bytes: size });
    await uploads.append(
      wrong.id,
      0,
      (async function* () {
        yield randomBytes(1_000_000);
      })(),
    );
    // Of other bytes there may be one, too.
    for (const each of readdirSync(at('cache', 'uploads'))) writeFileSync(at('cache', 'uploads', each), wrong.id);
    const pushed = await push(directory);
    assert.equal(pushed.uploaded_bytes, size);
    await assertWhole(pushed, bytes);
    assert.equal(await uploads.status(wrong.id), undefined);
    for (const known of ['01890000-0000-7000-8000-000000000000', '../../packages?limit=1000000000000000', 'x', '']) {
      const more = randomBytes(2_000_000);
      const another = tree(more);
      await stopped(another, 1_000_000);
      for (const each of readdirSync(at('cache', 'uploads'))) writeFileSync(at('cache', 'uploads', each), known);
      await assertWhole(await push(another), more);
    }
  });
});

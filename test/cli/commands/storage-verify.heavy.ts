import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRegistry, type RemoteRegistry } from '../../../src/client/connect.ts';
import type { File, Health } from '../../../src/registry/REGISTRY.ts';
import { finished, openWorkplace, type RunningServer, type Workplace } from '../workplace.ts';

const texts = Array.from({ length: 8 }, (_, index) => `content ${index} `.repeat(500));

describe('storage verify, beside a running server', () => {
  let place: Workplace;
  let server: RunningServer;
  let registry: RemoteRegistry;
  /** The file whose object is read first. */
  let first: File;
  let others: readonly File[];
  before(async () => {
    // What is held has no file to damage.
    place = openWorkplace({ ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' });
    server = await place.serve('serve', '--port', '0');
    registry = connectRegistry({ url: server.url, token: 'cli-test-token' });
    place.write(Object.fromEntries(texts.map((text, index) => [`tree/${index}`, text])));
    const { package_id } = await place.json<{ readonly package_id: string }>('push', 'tree');
    const { items } = await registry.files.list(package_id);
    [first, ...others] = [...items].sort((left, right) => (left.content_address < right.content_address ? -1 : 1)) as [File, ...File[]];
  });
  after(async () => {
    await registry.close();
    await server.signal('SIGTERM');
    place[Symbol.dispose]();
  });

  const verify = (...args: readonly string[]) => place.run('storage', 'verify', '--backend', 'local', ...args);
  const pathOf = (file: File) => place.path('var/storage', file.locations[0]!.object_key);
  const health = async () => (await (await fetch(`${server.url}/health`)).json()) as Health;
  const until = async (status: Health['status']) => {
    for (let tries = 0; (await health()).status !== status; tries += 1) {
      assert.ok(tries < 2_000);
      await sleep(25);
    }
  };

  test('reads everything and says that it is good; then nothing is due for a day', async () => {
    const { code, stdout, stderr } = await verify();
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, 'verified local: 8 objects, 39.1 KiB, 0 damaged, 0 missing\n');
    const recent = await place.json('storage', 'verify', '--backend', 'local', '--since', '1d');
    assert.deepEqual([recent.ok, recent.objects, recent.failures], [true, 0, []]);
  });

  test('finds one flipped bit, can be stopped, shows it in /health, and clears it when the bytes are pushed again', async () => {
    const bytes = readFileSync(pathOf(first));
    bytes[1000]! ^= 1;
    writeFileSync(pathOf(first), bytes);

    // It is the first to be read; the second must wait for an hour.
    const slow = place.start('storage', 'verify', '--backend', 'local', '--rate', '1B', '--jobs', '1');
    const ending = finished(slow);
    const said = await new Promise<string>((resolve) => slow.stdout!.once('data', (chunk: Uint8Array) => resolve(chunk.toString())));
    assert.match(said, new RegExp(`^damaged +${first.locations[0]!.object_key} `));
    slow.kill('SIGINT');
    const stopped = await ending;
    assert.equal(stopped.code, 130);
    assert.match(stopped.stderr, /^error: Stopped\. \(cancelled\)$/m);

    const { code, stdout, stderr } = await verify();
    assert.equal(code, 5);
    assert.match(
      stdout,
      new RegExp(`^damaged +${first.locations[0]!.object_key} .*\nread local: 8 objects, 39.1 KiB, 1 damaged, 0 missing\n$`),
    );
    assert.match(stderr, /^error: Backend local: 1 damaged and 0 missing of 8 objects\. \(integrity_failure\)\nhint: push the same bytes/);
    const asJson = await verify('--json');
    assert.equal(asJson.code, 5);
    const answer = JSON.parse(asJson.stdout) as { readonly ok: boolean; readonly failed: number; readonly failures: readonly object[] };
    assert.deepEqual([answer.ok, answer.failed], [false, 1]);
    assert.deepEqual(Object.keys(answer.failures[0]!).sort(), ['content_address', 'object_key', 'reason', 'result']);
    await until('degraded');
    assert.equal((await health()).backend.failed_locations, 1);

    place.write({ 'again/good': texts[Number(first.relative_path)]! });
    const pushed = await place.json('push', 'again');
    assert.equal(pushed.uploaded_bytes, texts[0]!.length);
    await until('ok');
    assert.equal((await verify()).code, 0);
    assert.equal((await registry.files.get(first.id))!.locations[0]!.state, 'verified');
  });

  test('lists what no event knows, and deletes it only when told to', async () => {
    const [file] = others;
    // As an ingest leaves it that was stopped between publishing its bytes and its commit.
    const orphan = `${file!.locations[0]!.object_key}.1`;
    copyFileSync(pathOf(file!), place.path('var/storage', orphan));
    const before = (await registry.events.page({ limit: 1 })).last_sequence;
    const listed = await verify('--orphans');
    assert.equal(listed.code, 0);
    assert.ok(listed.stdout.split('\n').includes(orphan), listed.stdout);
    assert.equal((await registry.events.page({ limit: 1 })).last_sequence, before);
    assert.ok(existsSync(place.path('var/storage', orphan)));
    const report = await place.json<Record<string, number>>('storage', 'verify', '--backend', 'local', '--orphans', '--delete');
    assert.ok(report.deleted_orphans! >= 1);
    assert.deepEqual([report.stored_objects, report.stored_bytes], [report.live_objects, report.live_bytes]);
    assert.ok(!existsSync(place.path('var/storage', orphan)));
    assert.ok(existsSync(pathOf(file!)));
  });

  test('ends with 2 for what makes no sense', async () => {
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/'--backend <id>' not specified/],
      [/There is no storage backend "elsewhere"; there are local/, '--backend', 'elsewhere'],
      [/'--delete' goes with '--orphans'/, '--backend', 'local', '--delete'],
      [/cannot be used with/, '--backend', 'local', '--orphans', '--rate', '1MB'],
      [/must be bytes a second/, '--backend', 'local', '--rate', 'fast'],
      [/must be a time/, '--backend', 'local', '--since', 'yesterday'],
    ];
    for (const { said, args, result } of await Promise.all(
      wrong.map(async ([said, ...args]) => ({ said, args, result: await place.run('storage', 'verify', ...args) })),
    )) {
      assert.equal(result.code, 2, args.join(' '));
      assert.match(result.stderr, said, args.join(' '));
    }
  });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readLocalBundle } from '../../../src/bundle/local-bundle.ts';
import { type PublishOptions, publishBundle } from '../../../src/client/publish/publish-bundle.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openBundleFolder, sha256Of } from '../../bundle/bundle-folder.ts';
import { type OpenServer, openServer } from '../open-server.ts';

describe('a bundle that is published', () => {
  let server: OpenServer;
  before(async () => {
    server = await openServer();
  });
  after(() => server.close());

  const options = { producer: 'gamma', retentionClass: 'release-evidence', ttlSeconds: 600, jobs: 2 } satisfies PublishOptions;
  /** What was sent and what was there already, by name. */
  const counting = () => {
    const sent: string[] = [];
    const there: string[] = [];
    const onTaken: PublishOptions['onTaken'] = ({ name }, bytes) => void (bytes === null ? there : sent).push(name);
    return { sent, there, onTaken };
  };
  const uploads = () => globSync('**/upload-*', { cwd: server.directory }).map((path) => join(server.directory, path));
  /** Of the upload of a large artifact, at the server: a short one has such a file as well. */
  const someArrived = (earlier: readonly string[]): boolean => {
    const paths = uploads().filter((path) => !earlier.includes(path));
    return paths.some((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 1_000);
  };
  const read = (url: string) => fetch(url, { headers: { authorization: `Bearer ${server.token}` } });

  test('is one sealed package, and each artifact is at an address that stays', async () => {
    using folder = openBundleFolder();
    const files = { 'app.tar.gz': randomBytes(9_000_000), 'bin/tool': 'tool', again: 'tool', empty: '' };
    folder.bundle(files, { release: '1' });
    const { sent, onTaken } = counting();
    const local = await readLocalBundle(folder.directory);
    const registry = server.connect();
    const published = await publishBundle(registry, local, { ...options, onTaken });
    assert.equal(sent.length, 4);
    assert.deepEqual(Object.keys(published.artifacts), Object.keys(files));
    for (const [name, content] of Object.entries(files)) {
      const { url, sha256, size_bytes } = published.artifacts[name]!;
      assert.deepEqual([sha256, size_bytes], [sha256Of(content), Buffer.byteLength(content)]);
      assert.ok(url.startsWith(`${server.url}/objects/sha256:${sha256}`), url);
      const answer = await read(url);
      assert.equal(Buffer.compare(Buffer.from(await answer.arrayBuffer()), Buffer.from(content)), 0, name);
    }
    const kept = await registry.packages.get(published.package_id);
    assert.deepEqual([kept?.status, kept?.name, kept?.producer, kept?.subject], ['finalized', 'gamma@1', 'gamma', 'gamma']);

    const again = counting();
    const same = await publishBundle(registry, local, { ...options, onTaken: again.onTaken });
    assert.deepEqual([same, again.sent], [published, []], 'the same publication is the same package');
    const later = await publishBundle(registry, local, { ...options, ttlSeconds: 900 });
    assert.deepEqual(later, published, 'and so it is where it might have waited for another time');
    await assert.rejects(
      publishBundle(registry, local, { ...options, idempotencyKey: 'kept' }).then(() =>
        publishBundle(registry, local, { ...options, idempotencyKey: 'kept', ttlSeconds: 900 }),
      ),
      { code: 'idempotency_conflict' },
      "a key of the caller is the caller's to keep",
    );
    folder.bundle({ ...files, new: 'new' }, { release: '2' });
    const next = counting();
    await publishBundle(registry, await readLocalBundle(folder.directory), { ...options, onTaken: next.onTaken });
    assert.deepEqual([next.sent, next.there.length], [['new'], 4], 'what the registry has is not sent again');
  });

  test('that was stopped is resumed by what is missing, and nobody sees it before', async () => {
    using folder = openBundleFolder();
    folder.bundle({ a: 'first of stopped', b: 'second of stopped', c: 'third of stopped' });
    const local = await readLocalBundle(folder.directory);
    const registry = server.connect();
    const stop = new AbortController();
    const first = counting();
    const stopped = publishBundle(registry, local, {
      ...options,
      jobs: 1,
      signal: stop.signal,
      onTaken(artifact, isSent) {
        first.onTaken?.(artifact, isSent);
        stop.abort();
      },
    });
    await assert.rejects(stopped, { code: 'cancelled' });
    assert.deepEqual(first.sent, ['a']);
    assert.equal((await read(`${server.url}/objects/sha256:${sha256Of('first of stopped')}`)).status, 404);
    const second = counting();
    await publishBundle(registry, local, { ...options, onTaken: second.onTaken });
    assert.deepEqual([second.sent.sort(), second.there], [['b', 'c'], ['a']]);
  });

  test('says which artifact has another length by the time that it is sent', async () => {
    using folder = openBundleFolder();
    const files = { small: 'small of changed', large: randomBytes(3_000_000) };
    for (const [name, resumableAbove] of [['small'], ['large'], ['large', 1_000_000]] as const)
      for (const change of [1, -1]) {
        folder.bundle(files, { release: `changed-${name}-${resumableAbove}${change}` });
        const local = await readLocalBundle(folder.directory);
        const content = Buffer.from(files[name]);
        folder.write({ [name]: change < 0 ? content.subarray(1) : Buffer.concat([content, content.subarray(0, 1)]) });
        const more = resumableAbove === undefined ? {} : { resumableAbove };
        await assert.rejects(publishBundle(server.connect(), local, { ...options, ...more }), {
          code: 'digest_mismatch',
          message: new RegExp(`^"${name}" changed since .*: it has (?:more than \\d+ bytes|\\d+ bytes, not \\d+)\\.$`),
        });
      }
  });

  test('that was stopped in the middle of an artifact is resumed from there', async () => {
    using folder = openBundleFolder();
    const size = 6_000_000;
    folder.bundle({ large: randomBytes(size), small: 'small of resumed' });
    const local = await readLocalBundle(folder.directory);
    const registry = server.connect();
    const stop = new AbortController();
    const earlier = uploads();
    const sendUpload: typeof registry.sendUpload = (upload, { size_bytes, from }, more) =>
      registry.sendUpload(upload, { size_bytes, from: (offset) => untilSome(from(offset)) }, more);
    async function* untilSome(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let passed = 0;
      for await (const chunk of body) {
        yield chunk;
        passed += chunk.length;
        if (passed < 3_000_000) continue;
        while (!someArrived(earlier)) await pause(10);
        stop.abort();
      }
    }
    const inPieces = { ...options, resumableAbove: 1_000_000 };
    await assert.rejects(publishBundle({ ...registry, sendUpload }, local, { ...inPieces, signal: stop.signal }), { code: 'cancelled' });
    const sent = new Map<string, number | null>();
    const again = { ...inPieces, onTaken: ({ name }: { readonly name: string }, bytes: number | null) => void sent.set(name, bytes) };
    const { artifacts } = await publishBundle(registry, local, again);
    const rest = sent.get('large');
    assert.ok(typeof rest === 'number' && rest > 0 && rest < size, `${rest} bytes were sent`);
    const answer = await read(artifacts.large!.url);
    assert.equal(sha256Of(Buffer.from(await answer.arrayBuffer())), artifacts.large!.sha256);

    // What was sent of a file that was built again is of no use: the whole of it is sent.
    folder.bundle({ large: randomBytes(size) });
    const changed = await readLocalBundle(folder.directory);
    const { record } = await registry.writeSessions.open(
      {
        ...{ scope: 'deployment_artifacts', producer: 'gamma', subject: 'gamma', namespace: 'gamma', retention_class: 'release-evidence' },
        ttl_seconds: 600,
        objects: changed.bundle.artifacts.map(({ name, sha256, size_bytes }) => ({ name, sha256, size_bytes })),
      },
      { idempotencyKey: 'built again' },
    );
    const begun = (await registry.writeSessions.beginUpload(record.id, 'large')).record;
    const wrong = Buffer.alloc(size, 'other bytes');
    const partly = new AbortController();
    const breaking = async function* () {
      yield wrong.subarray(0, 2_000_000);
      partly.abort();
      yield wrong.subarray(2_000_000);
    };
    const ignore = { signal: partly.signal, onOffset: () => undefined };
    await assert.rejects(registry.sendUpload(begun, { size_bytes: size, from: breaking }, ignore));
    await publishBundle(registry, changed, { ...again, idempotencyKey: 'built again' });
    assert.equal(sent.get('large'), size);
  });

  test('that another publication still sends is continued from where that is', async () => {
    using folder = openBundleFolder();
    const size = 6_000_000;
    const large = randomBytes(size);
    folder.bundle({ large }, { release: 'continued' });
    const local = await readLocalBundle(folder.directory);
    const registry = server.connect();
    const earlier = uploads();
    const stop = new AbortController();
    const left = Promise.withResolvers<void>();
    // It does not come back before it is let go: the two would take turns.
    const sendUpload: typeof registry.sendUpload = (upload, { size_bytes }, more) =>
      registry.sendUpload(upload, { size_bytes, from: hanging }, more).finally(() => left.promise);
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield large.subarray(0, 3_000_000);
      await left.promise;
    }
    const inPieces = { ...options, resumableAbove: 1_000_000 };
    const hangs = assert.rejects(publishBundle({ ...registry, sendUpload }, local, { ...inPieces, signal: stop.signal }));
    while (!someArrived(earlier)) await pause(10);
    const sent: (number | null)[] = [];
    const { artifacts } = await publishBundle(registry, local, { ...inPieces, onTaken: (_, bytes) => void sent.push(bytes) });
    assert.ok(sent.length === 1 && sent[0]! > 0 && sent[0]! < size, `${sent} bytes were sent`);
    assert.equal(artifacts.large!.sha256, sha256Of(large));
    stop.abort();
    left.resolve();
    await hangs;
  });

  test('that changed after it was checked is not there, not even in part', async () => {
    using folder = openBundleFolder();
    folder.bundle({ good: 'good of changed', bad: 'bad of changed' });
    const local = await readLocalBundle(folder.directory);
    folder.write({ bad: 'BAD of changed' });
    const registry = server.connect();
    await assert.rejects(publishBundle(registry, local, options), { code: 'digest_mismatch' });
    assert.equal((await read(`${server.url}/objects/sha256:${sha256Of('good of changed')}`)).status, 404);
    folder.write({ bad: 'bad of changed' });
    await publishBundle(registry, local, options);
    assert.equal((await read(`${server.url}/objects/sha256:${sha256Of('bad of changed')}`)).status, 200);
  });

  test('is refused as a whole where its producer may not write, and where its key was used', async () => {
    using folder = openBundleFolder();
    folder.bundle({ a: 'one of refused' });
    const local = await readLocalBundle(folder.directory);
    const reader = server.connectAs({ actor: 'reader', share: 'reader', grants: [{ role: 'reader', producers: [{ exact: 'gamma' }] }] });
    await assert.rejects(publishBundle(reader, local, options), { code: 'forbidden' });
    const registry = server.connect();
    await assert.rejects(publishBundle(registry, local, { ...options, retentionClass: 'none-such' }), { code: 'unknown_retention_class' });
    await publishBundle(registry, local, { ...options, idempotencyKey: 'mine' });
    folder.bundle({ a: 'two of refused' });
    const other = await readLocalBundle(folder.directory);
    await assert.rejects(publishBundle(registry, other, { ...options, idempotencyKey: 'mine' }), (error) =>
      isArtifactstoreError(error, 'idempotency_conflict'),
    );
  });
});

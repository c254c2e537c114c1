import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { readLocalBundle } from '../../../src/bundle/local-bundle.ts';
import { type PublishOptions, publishBundle } from '../../../src/client/publish/publish-bundle.ts';
import { openBundleFolder, sha256Of } from '../../bundle/bundle-folder.ts';
import { openPresignedBucket } from '../../registry/write-sessions/presigned-bucket.ts';
import type { StrictStore } from '../../s3-stand-in/strict-store.ts';
import { type OpenServer, openServer } from '../open-server.ts';

describe('a bundle that is published to a server whose store takes addresses', () => {
  let server: OpenServer;
  let bucket: StrictStore;
  let end: () => Promise<void>;
  const lines: string[] = [];
  before(async () => {
    const opened = await openPresignedBucket();
    bucket = opened.store;
    server = await openServer({ environment: opened.environment, onLog: (line) => lines.push(line) });
    end = async () => {
      await server.close();
      await opened.close();
    };
  });
  after(() => end());

  const options = { producer: 'gamma', retentionClass: 'transient', ttlSeconds: 600, jobs: 2 } satisfies PublishOptions;

  /** The registry, with what went to the server and to the store. */
  function watched() {
    const registry = server.connect();
    const counts = { server: 0, taken: 0, refused: 0, unavailable: 0 };
    const { writeSessions, storePut } = registry;
    const put: typeof writeSessions.put = (...args) => {
      counts.server += 1;
      return writeSessions.put(...args);
    };
    const beginUpload: typeof writeSessions.beginUpload = (...args) => {
      counts.server += 1;
      return writeSessions.beginUpload(...args);
    };
    const send: typeof storePut.send = async (...args) => {
      const answer = await storePut.send(...args);
      counts[answer] += 1;
      return answer;
    };
    return { registry: { ...registry, writeSessions: { ...writeSessions, put, beginUpload }, storePut: { ...storePut, send } }, counts };
  }
  async function publish(files: Readonly<Record<string, string | Buffer>>, { registry }: Pick<ReturnType<typeof watched>, 'registry'>) {
    using folder = openBundleFolder();
    folder.bundle(files);
    const { artifacts } = await publishBundle(registry, await readLocalBundle(folder.directory), options);
    for (const [name, content] of Object.entries(files)) {
      const answer = await fetch(artifacts[name]!.url, { headers: { authorization: `Bearer ${server.token}` } });
      assert.equal(sha256Of(Buffer.from(await answer.arrayBuffer())), sha256Of(content), name);
    }
  }

  test('is written to the store, and none of its bytes to the server', async () => {
    const to = watched();
    await publish({ 'app.tar': randomBytes(3_000_000), 'bin/tool': 'the tool', again: 'the tool', empty: '' }, to);
    assert.deepEqual(to.counts, { server: 0, taken: 4, refused: 0, unavailable: 0 });
  });

  test('goes to the server where the store refuses it, or does not answer', async () => {
    const refused = watched();
    const store = bucket.objects('artifacts').length;
    bucket.setFaults({ onlyOperations: ['PutObject'], times: 1, status: 503 });
    await publish({ 'after-a-break': 'bytes after a break' }, refused);
    assert.deepEqual(refused.counts, { server: 0, taken: 1, refused: 0, unavailable: 1 });
    assert.ok(bucket.objects('artifacts').length > store);
    bucket.setFaults(undefined);

    const { registry, counts } = watched();
    const never = { ...registry.storePut, send: async () => 'refused' as const };
    await publish({ refused: 'bytes that the store refuses' }, { registry: { ...registry, storePut: never } });
    assert.equal(counts.server, 1);
  });

  test('is not tried for each object at a store that takes none of them', async () => {
    const { registry, counts } = watched();
    let tried = 0;
    const away: typeof registry.storePut.send = async () => {
      tried += 1;
      return 'refused';
    };
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`far-${index}`, `bytes of far ${index}`]));
    await publish(files, { registry: { ...registry, storePut: { ...registry.storePut, send: away } } });
    assert.equal(counts.server, 12);
    // Two jobs: at most four objects had begun when the third of them was given up.
    assert.ok(tried >= 6 && tried <= 8, `${tried} tries`);
  });

  test('takes another handle when its own has ended', async () => {
    const { registry, counts } = watched();
    const used = new Set<string>();
    const { send } = registry.storePut;
    /** As if the first one of each object had ended: the store refuses what is not signed as it is. */
    const late: typeof send = (handle, open, signal) => {
      const key = new URL(handle.url).pathname;
      const ended = used.has(key) ? handle : { ...handle, url: handle.url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=1') };
      used.add(key);
      return send(ended, open, signal);
    };
    await publish(
      { one: 'one of ended', two: 'two of ended' },
      { registry: { ...registry, storePut: { ...registry.storePut, send: late } } },
    );
    assert.deepEqual(counts, { server: 0, taken: 2, refused: 2, unavailable: 0 });
  });

  test('leaves no address in the log, the events and the errors, and in no cache', async () => {
    const { registry } = watched();
    const signatures = new Set<string>();
    const { send } = registry.storePut;
    const noting: typeof send = (handle, open, signal) => {
      signatures.add(new URL(handle.url).searchParams.get('X-Amz-Signature')!);
      return send(handle, open, signal);
    };
    await publish({ a: 'a of leaks', b: 'b of leaks' }, { registry: { ...registry, storePut: { ...registry.storePut, send: noting } } });
    const objects = [{ name: 'c', sha256: sha256Of('c of leaks'), size_bytes: 10 }];
    const fixed = { scope: 's', producer: 'gamma', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60 };
    const { record } = await registry.writeSessions.open({ ...fixed, objects }, { idempotencyKey: 'leaks' });
    signatures.add(new URL(record.objects[0]!.handle!.url).searchParams.get('X-Amz-Signature')!);
    const own = { headers: { authorization: `Bearer ${server.token}` } };
    const answer = await fetch(`${server.url}/write-sessions/${record.id}`, own);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    bucket.revoke(bucket.accessKeyId);
    const path = `${server.url}/write-sessions/${record.id}`;
    const refused = [await fetch(path, own), await fetch(`${path}/commit`, { ...own, method: 'POST' })];
    bucket.admit(bucket);
    assert.deepEqual(
      refused.map(({ status }) => status),
      [503, 503],
    );
    await registry.writeSessions.abort(record.id);
    const events = await (
      await fetch(`${server.url}/events?limit=500`, { headers: { ...own.headers, accept: 'application/json' } })
    ).text();
    const said = [...lines, events, ...(await Promise.all(refused.map((each) => each.text())))];
    assert.equal(signatures.size, 3);
    assert.ok(lines.some((line) => line.includes('/write-sessions')) && events.includes('v1.file.ingested'));
    for (const text of said)
      for (const secret of [...signatures, 'X-Amz-', bucket.secretAccessKey]) assert.ok(!text.includes(secret), text);
  });

  test('is sent again to the server, once, where the store did not keep what it took', async () => {
    const { registry, counts } = watched();
    const lying = { ...registry.storePut, send: async () => 'taken' as const };
    await publish({ lost: 'bytes that were lost' }, { registry: { ...registry, storePut: lying } });
    assert.equal(counts.server, 1);
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConnectOptions, connectRegistry } from '../../src/client/connect.ts';
import { pushDirectory } from '../../src/client/push/push-directory.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../src/kernel/error.ts';
import { type OpenServer, openServer } from './open-server.ts';

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };

describe('a client whose token is refused', () => {
  let server: OpenServer;
  before(async () => {
    server = await openServer();
  });
  after(() => server.close());

  /** Gives these tokens in turn, the last one again and again. */
  function giving(...tokens: readonly string[]): { readonly options: ConnectOptions; taken(): number } {
    let taken = 0;
    const token = (): string => tokens[Math.min(taken++, tokens.length - 1)]!;
    return { options: { url: server.url, token }, taken: () => taken };
  }

  test('takes another one, once for all requests under way, and repeats them, long uploads too', async () => {
    const directory = join(server.directory, 'tree');
    mkdirSync(directory);
    // A body that the server refuses while it is being sent.
    writeFileSync(join(directory, 'large'), Buffer.alloc(24_000_000, 'of a large file '));
    for (let index = 0; index < 20; index += 1) writeFileSync(join(directory, `small-${index}`), String(index));
    const { options, taken } = giving('ended', server.token);
    await using registry = connectRegistry(options);
    await Promise.all(Array.from({ length: 20 }, () => registry.packages.list()));
    assert.equal(taken(), 2);
    const pushed = await pushDirectory(registry, directory, input);
    assert.equal(pushed.file_count, 21);

    const again = giving('ended', server.token);
    await using other = connectRegistry(again.options);
    const { record } = await server.connect().packages.create(input);
    const body = { open: () => chunks(), [Symbol.asyncIterator]: () => chunks() };
    const added = await other.files.add(record.id, { relative_path: 'large', body, size_bytes: 24 * chunk.length });
    assert.equal(added.record.size_bytes, 24 * chunk.length);
    assert.equal(again.taken(), 2);
  });

  test('is told of it when the other one is refused too, or there is no other, without a loop', async () => {
    for (const [tokens, asked] of [
      [['ended', 'wrong'], 2],
      [['wrong'], 2],
    ] as const) {
      const { options, taken } = giving(...tokens);
      await using registry = connectRegistry(options);
      await assert.rejects(registry.packages.list(), (error) => isArtifactstoreError(error, 'unauthorized'));
      assert.equal(taken(), asked);
    }
    await using fixed = connectRegistry({ url: server.url, token: 'wrong' });
    await assert.rejects(fixed.packages.list(), (error) => isArtifactstoreError(error, 'unauthorized') && error.info?.hint === undefined);
  });

  test('repeats no body that can be read only once', async () => {
    const { options } = giving('ended', server.token);
    await using registry = connectRegistry(options);
    const { record } = await server.connect().packages.create(input);
    const once = registry.files.add(record.id, { relative_path: 'once', body: chunks() });
    await assert.rejects(once, (error) => isArtifactstoreError(error, 'unauthorized'));
    assert.deepEqual((await server.connect().files.list(record.id)).items, []);
  });

  test('is told what its source knows, and waits for a source that is unavailable for a moment', async () => {
    const hinted = { take: async () => 'wrong', hint: (token: string) => `${token.length} letters` };
    await using registry = connectRegistry({ url: server.url, token: hinted });
    await assert.rejects(registry.packages.list(), (error) => isArtifactstoreError(error) && error.info?.hint === '5 letters');

    let asked = 0;
    const waits: number[] = [];
    const away = {
      take: async () => {
        asked += 1;
        if (asked < 3) throw new ArtifactstoreError('identity_unavailable', 'Away.', { info: { sent: false } });
        return server.token;
      },
    };
    await using patient = connectRegistry({ url: server.url, token: away, onRetry: (_error, seconds) => void waits.push(seconds) });
    // Nothing was sent: what must not be sent twice waits too.
    assert.equal((await patient.packages.create(input)).created, true);
    assert.deepEqual([asked, waits.length], [3, 2]);
  });
});

const chunk = Buffer.alloc(1_000_000, 'bytes ');

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < 24; index += 1) {
    yield chunk;
    await new Promise(setImmediate);
  }
}

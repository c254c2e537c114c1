import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generationCredentials } from '../../src/credentials/generation.ts';
import { watchReading } from '../../src/credentials/unread.ts';
import { secretOf } from '../../src/secrets/secret.ts';

describe('keys that cannot be read again', () => {
  test('are told of after a minute, then once an hour, with their age, and again after they could be read', () => {
    let time = 0;
    const told: number[] = [];
    const watch = watchReading(
      () => time,
      ({ seconds }) => told.push(seconds),
    );
    const failFor = (seconds: number): void => {
      for (const end = time + 1000 * seconds; time < end; time += 10_000) watch.failed('sealed');
    };
    failFor(50);
    assert.deepEqual([told, watch.unread()], [[], { seconds: 50, reason: 'sealed' }]);
    failFor(7300);
    assert.deepEqual(told, [60, 3660, 7260]);
    watch.succeeded();
    assert.equal(watch.unread(), undefined);
    failFor(100);
    assert.deepEqual(told, [60, 3660, 7260, 60]);
  });

  test('of a generation are in doubt when the place fails, and not when the store refuses them', async () => {
    let time = 0;
    let fails = false;
    const documents: Readonly<Record<string, unknown>> = {
      'provider/current': { format: 1, generation: 1 },
      'provider/generations/1': { format: 1, generation: 1, proxy: { access_key_id: 'id', secret_access_key: 'hush' } },
    };
    const secrets = {
      place: 'here',
      async get(name: string) {
        if (fails) throw new Error('The store is sealed.');
        return { value: secretOf(JSON.stringify(documents[name])), version: '1' };
      },
      list: async () => [],
      close: async () => undefined,
    };
    const told: string[] = [];
    const onUnread = ({ seconds, reason }: { readonly seconds: number; readonly reason: string }) => told.push(`${seconds} ${reason}`);
    const credentials = generationCredentials(secrets, { role: 'proxy', setting: 'HERE', now: () => time, onUnread });
    const look = async (): Promise<void> => {
      time += 30_000;
      await credentials.keys();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await look();
    fails = true;
    for (let count = 0; count < 4; count += 1) await look();
    assert.deepEqual(told, ['60 here: The store is sealed']);
    assert.equal(credentials.unread?.()?.seconds, 90);
    fails = false;
    credentials.refused(await credentials.keys());
    await assert.rejects(credentials.keys(), /refuses the keys of generation 1, and there is no other/);
    assert.equal(credentials.unread?.(), undefined);
  });
});

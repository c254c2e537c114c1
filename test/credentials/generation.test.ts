import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generationCredentials } from '../../src/credentials/generation.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';
import { secretOf } from '../../src/secrets/secret.ts';

/** A store whose documents are written as they are told, and that can stop answering. */
function place(): { readonly secrets: Secrets; put(name: string, value: unknown): void; fail: boolean; hangs: boolean } {
  const kept = new Map<string, string>();
  const made = {
    fail: false,
    hangs: false,
    put: (name: string, value: unknown) => void kept.set(name, typeof value === 'string' ? value : JSON.stringify(value)),
    secrets: {
      place: 'here',
      async get(name: string) {
        if (made.fail) throw new Error('away');
        if (made.hangs) await new Promise(() => undefined);
        const text = kept.get(name);
        return text === undefined ? undefined : { value: secretOf(text), version: text };
      },
      list: async () => [...kept.keys()],
      close: async () => undefined,
    },
  };
  return made;
}

const keysOf = (word: string) => ({ access_key_id: `id-${word}`, secret_access_key: `secret-${word}` });
const generation = (number: number) => ({ format: 1, generation: number, admin: keysOf(`a${number}`), proxy: keysOf(`p${number}`) });

describe('the keys of a generation', () => {
  test('are those that the pointer names, and others when it does', async () => {
    const store = place();
    let time = 0;
    const credentials = generationCredentials(store.secrets, { role: 'proxy', setting: 'HERE', now: () => time });
    store.put('provider/generations/1', generation(1));
    store.put('provider/current', { format: 1, generation: 1 });
    const first = await credentials.keys();
    assert.equal(first.accessKeyId, 'id-p1');
    assert.equal(await credentials.keys(), first);
    store.put('provider/generations/2', generation(2));
    time += 2000;
    assert.equal(await credentials.keys(), first, 'a generation that is not the current one is nobody’s yet');
    store.put('provider/current', { format: 1, generation: 2 });
    assert.equal(await credentials.keys(), first, 'within the interval');
    credentials.refused(first);
    assert.equal((await credentials.keys()).accessKeyId, 'id-p2');
  });

  test('are none while the pointer only says which generations it never names, and the same beside that', async () => {
    const store = place();
    const credentials = generationCredentials(store.secrets, { role: 'proxy', setting: 'HERE', checkMilliseconds: 0 });
    store.put('provider/generations/1', generation(1));
    store.put('provider/current', { format: 1, withdrawn: [1] });
    await assert.rejects(
      credentials.keys(),
      (error) =>
        isArtifactstoreError(error, 'invalid_configuration') &&
        /names no generation: run artifactstore provider rotate/.test(error.message),
    );
    store.put('provider/generations/2', generation(2));
    store.put('provider/current', { format: 1, generation: 2, withdrawn: [3] });
    assert.equal((await credentials.keys()).accessKeyId, 'id-p2');
  });

  test('have their session token and their end, where they are temporary', async () => {
    const store = place();
    const credentials = generationCredentials(store.secrets, { role: 'proxy', setting: 'HERE' });
    const proxy = { ...keysOf('p1'), session_token: 'token-p1', expires_at: '2026-01-02T03:04:05.000Z' };
    store.put('provider/generations/1', { ...generation(1), proxy });
    store.put('provider/current', { format: 1, generation: 1 });
    const expiresAtMilliseconds = Date.UTC(2026, 0, 2, 3, 4, 5);
    assert.deepEqual(await credentials.keys(), {
      ...{ accessKeyId: 'id-p1', secretAccessKey: 'secret-p1' },
      ...{ sessionToken: 'token-p1', expiresAtMilliseconds },
    });
  });

  test('stay while the place does not answer, or names what is not whole', async () => {
    const store = place();
    const credentials = generationCredentials(store.secrets, { role: 'admin', setting: 'HERE', checkMilliseconds: 0 });
    store.put('provider/generations/1', generation(1));
    store.put('provider/current', { format: 1, generation: 1 });
    const first = await credentials.keys();
    store.fail = true;
    assert.equal(await credentials.keys(), first);
    store.fail = false;
    store.put('provider/current', { format: 1, generation: 2 });
    for (const half of [undefined, '{"format":1,"gen', { format: 1, generation: 2, proxy: keysOf('p2') }, { ...generation(3) }]) {
      if (half !== undefined) store.put('provider/generations/2', half);
      assert.equal(await credentials.keys(), first);
    }
    credentials.refused(first);
    await assert.rejects(credentials.keys(), (error) => isArtifactstoreError(error, 'storage_unavailable'));
    store.put('provider/generations/2', generation(2));
    assert.equal((await credentials.keys()).accessKeyId, 'id-a2');
  });

  test('are not waited for by who has them while the place is silent', async () => {
    const store = place();
    const credentials = generationCredentials(store.secrets, { role: 'admin', setting: 'HERE', checkMilliseconds: 0 });
    store.put('provider/generations/1', generation(1));
    store.put('provider/current', { format: 1, generation: 1 });
    const first = await credentials.keys();
    store.hangs = true;
    for (let time = 0; time < 3; time++) assert.equal(await Promise.race([credentials.keys(), sleep(1000, 'waited')]), first);
  });

  test('are looked for once more when those of a look that had begun are refused', async () => {
    const store = place();
    const credentials = generationCredentials(store.secrets, { role: 'admin', setting: 'HERE', checkMilliseconds: 0 });
    store.put('provider/generations/1', generation(1));
    store.put('provider/current', { format: 1, generation: 1 });
    const first = await credentials.keys();
    assert.equal(await credentials.keys(), first, 'begins to look');
    store.put('provider/generations/2', generation(2));
    store.put('provider/current', { format: 1, generation: 2 });
    credentials.refused(first);
    assert.equal((await credentials.keys()).accessKeyId, 'id-a2');
  });

  test('that were never there are a configuration to look at, told without a value', async () => {
    const store = place();
    const credentials = generationCredentials(store.secrets, { role: 'proxy', setting: 'HERE' });
    await assert.rejects(
      credentials.keys(),
      (error) => isArtifactstoreError(error, 'invalid_configuration') && /provider rotate/.test(error.message),
    );
    store.put('provider/current', 'hush');
    await assert.rejects(credentials.keys(), (error) => isArtifactstoreError(error) && !error.message.includes('hush'));
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ArtifactstoreError } from '../../src/kernel/error.ts';
import { documentNames, readPair } from '../../src/provider/documents.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { openStrictApi, type StrictApi } from './cloudflare-r2/strict-api.ts';
import { type ImportCase, importFiles } from './import-files.ts';
import { openPrivateFolder, type PrivateFolder } from './private-file.ts';

describe('an import that writes', () => {
  let api: StrictApi;
  let folder: PrivateFolder;
  before(async () => {
    api = await openStrictApi();
    folder = openPrivateFolder();
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const run = (each: ImportCase = {}) => importFiles(api, folder, each);

  /** The store, where what is read behind the first write is something else. */
  const changed = (own: Secrets, behindPut: (name: string) => Promise<unknown>, isLost = false): Secrets => {
    let isWritten = false;
    return {
      ...own,
      get: async (name) => (isWritten && isLost ? undefined : await own.get(name)),
      writer: {
        ...own.writer!,
        async put(name, ...more) {
          const version = await own.writer!.put(name, ...more);
          await behindPut(name);
          isWritten = true;
          return version;
        },
      },
    };
  };

  test('says so where the store gives another pair back than was written, or none', async () => {
    using own = openPrivateFolder();
    await run({ secrets: own.secrets });
    const others = (await own.secrets.get(documentNames.pair))!.value;
    const theirs = async (name: string) => await own.secrets.writer!.put(name, others, (await own.secrets.get(name))?.version);
    for (const [behindPut, isLost] of [
      [theirs, false],
      [async () => undefined, true],
    ] as const) {
      const { error } = await run({ secrets: changed(own.secrets, behindPut, isLost) });
      assert.equal(error?.code, 'secret_conflict');
      assert.match(error?.message ?? '', /^The pair that was written is not what is there now/);
    }
  });

  test('says of a token that is no good when it was written that it was written', async () => {
    using own = openPrivateFolder();
    const token = api.addToken();
    const spoil = async (): Promise<void> => {
      api.token(token.id)!.status = 'disabled';
    };
    const { error } = await run({ secrets: changed(own.secrets, spoil), values: [token.value, api.addToken().value] });
    assert.equal(error?.code, 'authority_unusable');
    assert.match(error?.message ?? '', /^Token a: .* The pair was written before this came up\.$/);
    assert.notEqual(await own.secrets.get(documentNames.pair), undefined);
  });

  test('gives a store an id, which later imports keep, and which another store does not have', async () => {
    using own = openPrivateFolder();
    const idOf = async () => readPair((await own.secrets.get(documentNames.pair))!.value).storeId;
    await run({ secrets: own.secrets });
    const first = await idOf();
    assert.match(String(first), /^[0-9a-f]{8}$/);
    await run({ secrets: own.secrets });
    assert.equal(await idOf(), first);
    const older = JSON.parse((await own.secrets.get(documentNames.pair))!.value.reveal());
    delete older.store_id;
    for (const [text, isKept] of [
      [JSON.stringify(older), true],
      ['{"format":1}', false],
    ] as const) {
      const { version } = (await own.secrets.get(documentNames.pair))!;
      await own.secrets.writer!.put(documentNames.pair, secretOf(text), version);
      await run({ secrets: own.secrets });
      assert.equal((await idOf()) === undefined, isKept, 'keys of a store without an id have labels without it');
      assert.notEqual(await idOf(), first);
    }
  });

  test('says one hint once, and that a bucket is not there', async () => {
    const { error } = await run({ a: { status: 'disabled' }, b: { status: 'disabled' } });
    const hints = String(error?.info?.hint).split('; ');
    assert.equal(new Set(hints).size, hints.length, String(error?.info?.hint));
    assert.deepEqual((await run({ bucket: 'not-there' })).report?.bucket, { name: 'not-there', is_there: false });
  });

  test('waits for tokens that are not known yet, and repeats no fault of this software', async () => {
    let asked = 0;
    const { report } = await run({
      wrap: (provider) => ({
        ...provider,
        async verify(...more) {
          asked += 1;
          if (asked < 3) throw new ArtifactstoreError('provider_forbidden', 'Not yet.');
          return await provider.verify(...more);
        },
      }),
    });
    assert.equal(report?.persisted, true);
    const fault = new TypeError('hush');
    const failing = run({ wrap: (provider) => ({ ...provider, verify: () => Promise.reject(fault) }) });
    await assert.rejects(failing, (error) => error instanceof assert.AssertionError && error.message === String(fault));
  });
});

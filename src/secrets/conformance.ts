import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import type { Secrets, SecretsWriter } from './SECRETS.ts';
import { secretOf } from './secret.ts';

export interface OpenedSecrets {
  readonly secrets: Secrets;
  /** Puts values there by another way than the door's: any text. */
  seed(values: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

/**
 * What every store of secrets must do, for `node --test`. `open` gives one that is empty and that nobody else uses; it
 * is called once for each case. The names of the first cases are such that a variable can have them.
 */
export function secretsConformance(name: string, open: () => Promise<OpenedSecrets>): void {
  const check = (title: string, body: (opened: OpenedSecrets, context: TestContext) => Promise<void>): void => {
    test(title, async (context) => {
      const opened = await open();
      try {
        await body(opened, context);
      } finally {
        await opened.close();
      }
    });
  };
  const checkWriter = (title: string, body: (secrets: Secrets, writer: SecretsWriter, opened: OpenedSecrets) => Promise<void>): void =>
    check(title, async (opened, context) => {
      const { secrets } = opened;
      if (secrets.writer === undefined) return context.skip('nobody can write there');
      await body(secrets, secrets.writer, opened);
    });

  describe(`secrets: ${name}`, () => {
    check('gives what is there, with one version for as long as it stays', async ({ secrets, seed }) => {
      await seed({ FIRST_KEY: 'hush-1', SECOND_KEY: 'hush 2/+= ü', THIRD_KEY: 'x'.repeat(10_000) });
      for (const [key, text] of [
        ['FIRST_KEY', 'hush-1'],
        ['SECOND_KEY', 'hush 2/+= ü'],
        ['THIRD_KEY', 'x'.repeat(10_000)],
      ] as const) {
        const found = await secrets.get(key);
        assert.equal(found?.value.reveal(), text);
        assert.equal((await secrets.get(key))?.version, found?.version);
      }
    });

    check('answers undefined where nothing is, and only there', async ({ secrets, seed }) => {
      await seed({ EMPTY_KEY: '' });
      assert.equal(await secrets.get('NO_SUCH_KEY'), undefined);
      assert.equal(await secrets.get('no/such/key'), undefined);
      await assertFails(secrets.get('EMPTY_KEY'), 'secret_unusable', (info) => assert.equal(info?.fault, 'empty'));
    });

    check('lists the names of what is there, sorted, and no value', async ({ secrets, seed }) => {
      assert.deepEqual(await secrets.list(), []);
      await seed({ SECOND_KEY: 'hush-2', FIRST_KEY: 'hush-1' });
      assert.deepEqual(await secrets.list(), ['FIRST_KEY', 'SECOND_KEY']);
    });

    check('shows a value to nobody who does not ask for it', async ({ secrets, seed }) => {
      await seed({ FIRST_KEY: 'hush-1' });
      const found = await secrets.get('FIRST_KEY');
      for (const shown of [
        `${found?.value}`,
        String(found?.value),
        JSON.stringify(found),
        inspect(found, { depth: 9, showHidden: true }),
      ]) {
        assert.match(shown, /\[secret\]/);
        assert.doesNotMatch(shown, /hush/);
      }
      assert.equal(inspect(secrets, { depth: 9, showHidden: true }).includes('hush'), false);
    });

    check('takes no name that could lead elsewhere', async ({ secrets }) => {
      for (const key of [
        '',
        '/',
        '..',
        '../key',
        'a/../b',
        'a//b',
        '/etc/passwd',
        'a b',
        'a\0',
        '.hidden',
        'a/.b',
        '%2e%2e/a',
        'a'.repeat(256),
      ]) {
        await assertFails(secrets.get(key), 'invalid_value');
        if (secrets.writer !== undefined) await assertFails(secrets.writer.put(key, secretOf('hush'), undefined), 'invalid_value');
      }
    });

    checkWriter('keeps what is put, under names with folders, in one step each', async (secrets, writer) => {
      const first = await writer.put('folder/key', secretOf('hush-1'), undefined);
      await writer.put('folder/deeper/key', secretOf('hush-2'), undefined);
      assert.partialDeepStrictEqual(await secrets.get('folder/key'), { version: first });
      const second = await writer.put('folder/key', secretOf('hush-3'), first);
      assert.notEqual(second, first);
      const found = await secrets.get('folder/key');
      assert.deepEqual([found?.value.reveal(), found?.version], ['hush-3', second]);
      assert.equal((await secrets.get('folder/deeper/key'))?.value.reveal(), 'hush-2');
      assert.deepEqual(await secrets.list(), ['folder/deeper/key', 'folder/key']);
    });

    checkWriter('changes nothing where it is not what was expected', async (secrets, writer) => {
      const first = await writer.put('key', secretOf('hush-1'), undefined);
      await assertFails(writer.put('key', secretOf('hush-2'), undefined), 'secret_conflict');
      const second = await writer.put('key', secretOf('hush-3'), first);
      for (const expected of [first, undefined, '999999', 'nonsense'])
        await assertFails(writer.put('key', secretOf('hush-4'), expected), 'secret_conflict');
      await assertFails(writer.put('none', secretOf('hush-5'), first), 'secret_conflict');
      assert.deepEqual([(await secrets.get('key'))?.value.reveal(), (await secrets.get('key'))?.version], ['hush-3', second]);
      assert.equal(await secrets.get('none'), undefined);
    });

    checkWriter('lets one of several win who expect the same', async (secrets, writer) => {
      for (const expected of [undefined, (await writer.put('other', secretOf('hush'), undefined)) satisfies string]) {
        const key = expected === undefined ? 'key' : 'other';
        const all = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => writer.put(key, secretOf(`hush-${index}`), expected)));
        const won = all.flatMap((each, index) => (each.status === 'fulfilled' ? [`hush-${index}`] : []));
        assert.equal(won.length, 1);
        assert.equal((await secrets.get(key))?.value.reveal(), won[0]);
        for (const each of all)
          if (each.status === 'rejected') assert.ok(isArtifactstoreError(each.reason, 'secret_conflict'), String(each.reason));
      }
    });

    checkWriter('refuses a value that would not come back as it is', async (secrets, writer) => {
      for (const text of ['', ' ', 'a\n', '\ta', '\uFEFFa', 'a\0b', 'a\ud800b', 'x'.repeat(65_537)])
        await assertFails(writer.put('key', secretOf(text), undefined), 'invalid_value');
      assert.equal(await secrets.get('key'), undefined);
      await writer.put('key', secretOf('two\nlines {"and": "ü"}'), undefined);
      assert.equal((await secrets.get('key'))?.value.reveal(), 'two\nlines {"and": "ü"}');
    });

    checkWriter('says whether it could be written, and writes nothing', async (secrets, writer) => {
      await writer.probeWrite('folder/key');
      assert.deepEqual(await secrets.list(), []);
      const version = await writer.put('folder/key', secretOf('hush'), undefined);
      await writer.probeWrite('folder/key');
      assert.equal((await secrets.get('folder/key'))?.version, version);
    });
  });
}

async function assertFails(
  promise: Promise<unknown>,
  code: ErrorCode,
  about?: (info: Readonly<Record<string, unknown>> | undefined) => void,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }).replace(/^\s+at .*$/gm, ''), /hush/, 'a value is in an error');
    about?.(error.info);
    return true;
  });
}

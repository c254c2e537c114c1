import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ArtifactstoreError, isArtifactstoreError } from '../../src/kernel/error.ts';
import { documentNames } from '../../src/provider/documents.ts';
import { importAdminPair } from '../../src/provider/import-pair.ts';
import { openProvider } from '../../src/provider/open.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { everyPermission, openStrictApi, type StrictApi } from './cloudflare-r2/strict-api.ts';
import { type ImportCase, importFiles } from './import-files.ts';
import { openPrivateFolder, type PrivateFolder } from './private-file.ts';
import { withoutPatience } from './without-patience.ts';

describe('the import of an admin pair', () => {
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

  test('verifies both, keeps them as one document and says fingerprints only', async () => {
    const { report, names, values } = await run();
    assert.deepEqual(names, ['provider/admin-pair']);
    assert.equal(report?.persisted, true);
    assert.deepEqual(report?.bucket, { name: 'artifacts', is_there: true });
    assert.match(report?.tokens[0]?.fingerprint ?? '', /^sha256:[0-9a-f]{16}$/);
    assert.notEqual(report?.tokens[0]?.fingerprint, report?.tokens[1]?.fingerprint);
    assert.equal(JSON.stringify(report).includes(values![0]), false);
  });

  test('writes nothing where it only tries', async () => {
    const { report, names } = await run({ dryRun: true });
    assert.deepEqual(names, []);
    assert.equal(report?.persisted, false);
  });

  test('names the permission and the account for a token that may not read its own metadata', async () => {
    const { error } = await run({ a: { permissions: everyPermission.filter((each) => each !== 'Account API Tokens Read') } });
    assert.equal(error?.code, 'provider_forbidden');
    assert.match(error?.message ?? '', /^Token a: .*needs Account API Tokens Read on account [0-9a-f]{32}\./);
    assert.match(String(error?.info?.hint), /add the permission/);
  });

  test('says everything that is wrong with both at once', async () => {
    const { error } = await run({ a: { status: 'disabled' }, b: { permissions: ['Account API Tokens Read'] } });
    assert.match(error?.message ?? '', /Token a: .*Token b: .*needs Account API Tokens Write/);
    assert.partialDeepStrictEqual(error?.info?.problems, [{ slot: 'a' }, { slot: 'b' }]);
  });

  const refused: readonly (readonly [name: string, each: () => ImportCase, code: string, said: RegExp, fault?: string])[] = [
    [
      'expired by its date',
      () => ({ b: { expiresOn: '2020-01-01T00:00:00Z' } }),
      'authority_unusable',
      /Token b: .*has expired/,
      'expired',
    ],
    ['expired by its status', () => ({ b: { status: 'expired' } }), 'authority_unusable', /has expired/, 'expired'],
    ['not valid yet', () => ({ a: { notBefore: '2999-01-01T00:00:00Z' } }), 'authority_unusable', /not valid before 2999/, 'not_yet_valid'],
    ['disabled', () => ({ a: { status: 'disabled' } }), 'authority_unusable', /does not know the token/, 'unknown'],
    [
      'bound to other addresses',
      () => ({ a: { allowedAddresses: ['192.0.2.1'] } }),
      'authority_unusable',
      /this machine's address/,
      'address_restricted',
    ],
    [
      'not allowed to make tokens',
      () => ({ a: { permissions: ['Account API Tokens Read'] } }),
      'provider_forbidden',
      /needs Account API Tokens Write/,
    ],
    [
      'not allowed to see the bucket',
      () => ({ a: { permissions: everyPermission.filter((each) => !each.startsWith('Workers')) } }),
      'provider_forbidden',
      /needs Workers R2 Storage Read/,
    ],
    ['of another account', () => ({ account: 'f'.repeat(32) }), 'authority_unusable', /not one of account f{32}/, 'other_account'],
    ['no token at all', () => ({ values: ['hush', 'hushhush'] }), 'authority_unusable', /does not know the token/, 'unknown'],
  ];
  for (const [name, each, code, said, fault] of refused)
    test(`refuses a token that is ${name}`, async () => {
      const { error } = await run(each());
      assert.equal(error?.code, code);
      assert.match(error?.message ?? '', said);
      if (fault !== undefined) assert.equal(error?.info?.fault, fault);
    });

  test('refuses twice the same token', async () => {
    const { value } = api.addToken();
    const { error } = await run({ values: [value, `${value}\n`] });
    assert.deepEqual([error?.code, error?.info?.fault], ['authority_unusable', 'same_subject']);
  });

  test('refuses tokens of two accounts', async () => {
    await using other = await openStrictApi();
    const { error } = await run({ values: [api.addToken().value, other.addToken().value] });
    assert.match(error?.message ?? '', /^Token b: /);
  });

  const answers: readonly (readonly [name: string, status: number, body: string, headers: Record<string, string>, said: RegExp])[] = [
    ['a page', 200, '<html>Sign in</html>', {}, /not the API's JSON \(text\/html\)/],
    [
      '200 with success false',
      200,
      '{"success":false,"errors":[{"code":1234,"message":"m"}],"result":null}',
      {},
      /code 1234, success: false/,
    ],
    [
      '429 for longer than the bound',
      429,
      '{"success":false,"errors":[]}',
      { 'retry-after': '120' },
      /limits how often it is asked \(429\), and wants 120 seconds/,
    ],
    ['a redirect', 302, '', { location: 'https://sso.example.org/?token=x' }, /answers 302/],
    ['more than a mebibyte', 200, 'x'.repeat(1_100_000), {}, /more than 1048576 bytes/],
  ];
  for (const [name, status, body, headers, said] of answers)
    test(`says so where the provider answers ${name}`, async () => {
      api.strike(/verify/, { answer: { status, body, headers } }, 20);
      const { error } = await run();
      assert.equal(error?.code, 'provider_unavailable');
      assert.match(error?.message ?? '', said);
      api.endStrikes();
    });

  test('waits as long as a rate limit says, within the bound', async () => {
    api.strike(/verify/, { answer: { status: 429, body: '{}', headers: { 'retry-after': '1' } } }, 2);
    const { report } = await run();
    api.endStrikes();
    assert.equal(report?.persisted, true);
  });

  test('says so where nobody answers at the address', async () => {
    const { url } = api;
    const gone = openProvider('cloudflare-r2', {
      account: api.account,
      providerUrl: 'http://127.0.0.1:1',
      endpointUrl: undefined,
      region: undefined,
      patience: withoutPatience(),
      limitMilliseconds: 0,
      wait: async () => undefined,
    });
    await assert.rejects(
      importAdminPair({
        provider: gone,
        account: api.account,
        providerUrl: url,
        tokenFiles: [folder.write('a', 'x'.repeat(30)), folder.write('b', 'y'.repeat(30))],
        bucket: undefined,
        secrets: folder.secrets,
        patience: withoutPatience(),
        dryRun: true,
      }),
      (error) => isArtifactstoreError(error, 'provider_unavailable') && /nothing listens there/.test(error.message),
    );
    await gone.close();
  });

  test('never sends a token where the way could be listened to', () => {
    assert.throws(
      () =>
        openProvider('cloudflare-r2', {
          account: api.account,
          providerUrl: 'http://api.example.org',
          endpointUrl: undefined,
          region: undefined,
          patience: withoutPatience(),
          limitMilliseconds: 0,
          wait: async () => undefined,
        }),
      (error) => isArtifactstoreError(error, 'invalid_configuration') && error.field === '--provider-url',
    );
  });

  test('keeps nothing where the store is read-only, or loses the compare-and-set', async () => {
    using own = openPrivateFolder();
    const { writer, ...readOnly } = own.secrets;
    const { error: first } = await run({ secrets: readOnly });
    assert.equal(first?.code, 'invalid_configuration');
    const refusing: Secrets = {
      ...own.secrets,
      writer: {
        ...writer!,
        async probeWrite(name) {
          throw new ArtifactstoreError('secrets_forbidden', `The secret "${name}" may not be written.`);
        },
      },
    };
    // A dry run would say that all is well.
    for (const dryRun of [true, false]) assert.equal((await run({ secrets: refusing, dryRun })).error?.code, 'secrets_forbidden');
    const losing: Secrets = {
      ...own.secrets,
      writer: {
        ...writer!,
        async put(name, value) {
          await writer!.put(name, value, undefined);
          return await writer!.put(name, value, 'another');
        },
      },
    };
    const { error: second } = await run({ secrets: losing });
    assert.equal(second?.code, 'secret_conflict');
  });

  test('replaces a pair only as it was when it looked, and lets another import win', async () => {
    using own = openPrivateFolder();
    const { writer, ...more } = own.secrets;
    await writer!.put(documentNames.pair, secretOf('{"format":1,"first":true}'), undefined);
    const theirs = '{"format":1,"theirs":true}';
    let isOver = false;
    const racing: Secrets = {
      ...more,
      writer: writer!,
      async get(name) {
        const found = await own.secrets.get(name);
        if (!isOver) await writer!.put(name, secretOf(theirs), found?.version);
        isOver = true;
        return found;
      },
    };
    const { error } = await run({ secrets: racing });
    assert.equal(error?.code, 'secret_conflict');
    assert.equal((await own.secrets.get(documentNames.pair))?.value.reveal(), theirs);
  });
});

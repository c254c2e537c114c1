import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { everyPermission, openStrictApi, type StrictApi } from '../../provider/cloudflare-r2/strict-api.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('the commands of the provider', () => {
  let place: Workplace;
  let store: StrictStore;
  let api: StrictApi;
  let values: readonly string[];
  before(async () => {
    place = openWorkplace();
    store = await openStrictStore({ region: 'auto', buckets: ['artifacts', 'payroll'] });
    api = await openStrictApi({ store });
    values = [api.addToken().value, api.addToken().value];
    place.write({ 'a.token': `${values[0]}\n`, 'b.token': `${values[1]}\n` });
    for (const name of ['a.token', 'b.token']) chmodSync(place.path(name), 0o600);
    mkdirSync(place.path('secrets'), { mode: 0o700 });
  });
  after(async () => {
    place[Symbol.dispose]();
    await api[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  const at = () => ['--store', `file:${place.path('secrets')}`];
  const there = () => [...at(), '--provider-url', api.url, '--endpoint', store.url, '--propagation-seconds', '0'];
  const importing = () => [
    ...['provider', 'import-admin-pair', '--provider', 'cloudflare-r2', '--account', api.account, '--bucket', 'artifacts'],
    ...['--token-file', 'a.token', '--token-file', 'b.token', ...there()],
  ];
  const rotating = () => ['provider', 'rotate', '--bucket', 'artifacts', '--other-bucket', 'payroll', '--overlap', '0', ...there()];

  test('import, rotate, show and revoke, and no value is ever said', async () => {
    const said: string[] = [];
    const run = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await place.run(...args);
      said.push(stdout, stderr);
      return { code, stdout, stderr };
    };
    const bare = await run(...importing(), '--dry-run');
    assert.match(bare.stderr, /is an empty directory: it is new, or what belongs there is not mounted\. .*\n.*--create/);
    const dry = await run(...importing(), '--create', '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /nothing was written/);
    const early = await run(...rotating());
    assert.match(early.stderr, /is an empty directory/);
    assert.match((await run(...importing(), '--create')).stdout, /kept in .*, read back and verified again/);
    assert.match((await run(...rotating(), '--dry-run')).stdout, /^1\. asked: .*nothing was changed\n$/s);
    assert.match((await run(...rotating())).stdout, /generation 1 is the current one\n$/);
    const second = await run(...rotating());
    assert.match(second.stdout, /generation 2 is the current one; generation 1 was ended \(2 keys\)\n$/, second.stderr);
    assert.match(second.stderr, /^generation 2: draining, generation 1 stays good until 20.*Z$/m);
    assert.match(second.stderr, /^generation 2: revoked, keys ended: 2 \(generation 1\)$/m);
    const kept = await run('provider', 'status', ...at());
    assert.match(kept.stdout, /1 .*ended.*\n.*2 .*current/);
    for (const id of api.minted()) assert.match(kept.stdout, new RegExp(`^keys of generation 2: .*${id}`, 'm'));
    assert.equal(kept.stderr, '');
    const status = JSON.parse((await run('provider', 'status', ...at(), '--json')).stdout);
    assert.partialDeepStrictEqual(status, { action: 'status', current: 2, unfinished: null });
    const pointer = place.path('secrets/provider/current');
    renameSync(pointer, `${pointer}-aside`);
    const lost = await run('provider', 'status', ...at());
    assert.match(
      lost.stderr,
      /no generation is the current one, and generation 2 has keys: is "provider\/current" lost\? Bring it back, or run/,
    );
    assert.doesNotMatch(lost.stderr, /ends them/, 'servers may still use them');
    renameSync(`${pointer}-aside`, pointer);
    const held = await run('provider', 'revoke', '--generation', '2', ...there());
    assert.deepEqual([held.code, /generation_in_use/.test(held.stderr)], [4, true]);
    const absent = await run(...rotating().map((each) => (each === 'payroll' ? 'nowhere' : each)));
    assert.match(absent.stderr, /^generation 3: failed, keys ended: 2\n.*\(credential_unproven\)$/m);
    assert.match((await run('provider', 'status', ...at())).stdout, /last step: failed of generation 3 \(credential_unproven\), 20/);
    assert.match((await run('provider', 'revoke', '--generation', '2', '--even-current', ...there())).stdout, /generation 2 is ended/);
    assert.deepEqual(api.minted(), []);
    const without = await run('provider', 'status', ...at());
    assert.match(without.stderr, /^generation 2 is the current one and has no keys: servers get none until/m);
    const number = async () => Number(/generation (\d+) is the current one/.exec((await run(...rotating())).stdout)?.[1]);
    const before = await number();
    renameSync(pointer, `${pointer}-aside`);
    assert.ok((await number()) > before);
    const ends = `generation ${before} has keys and is not the current one: \`artifactstore provider revoke --generation ${before}\` ends them`;
    assert.ok((await run('provider', 'status', ...at())).stderr.includes(ends));
    for (const value of values) assert.equal(said.join('').includes(value), false);
  });

  test('a refusal names the step, the permission and the remedy, as text and as JSON', async () => {
    const { value } = api.addToken({ permissions: everyPermission.filter((each) => each !== 'Account API Tokens Read') });
    place.write({ 'c.token': value });
    chmodSync(place.path('c.token'), 0o600);
    const args = importing().map((each) => (each === 'a.token' ? 'c.token' : each));
    const { code, stderr } = await place.run(...args);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: Token a: The token's own metadata cannot be read \(403, code 10000\): needs Account API Tokens Read on account/m,
    );
    assert.match(stderr, /^hint: add the permission "Account API Tokens Read"/m);
    const json = JSON.parse((await place.run(...args, '--json')).stderr);
    assert.partialDeepStrictEqual(json, {
      code: 'provider_forbidden',
      info: { problems: [{ slot: 'a', permission: `Account API Tokens Read on account ${api.account}` }] },
    });
  });

  test('an authority in the place of the account, or of its file, is not repeated', async () => {
    const [value = ''] = values;
    const pair = `AKIAHUSHHUSHHUSH0000:${value}`;
    const given = (...args: readonly string[]) => place.run(...importing(), ...args);
    const other = (kind: string, account: string) =>
      place.run(...importing().map((each) => (each === 'cloudflare-r2' ? kind : each === api.account ? account : each)));
    const files = importing().map((each) => (each === 'a.token' ? value : each));
    for (const [ended, said] of [
      [await other('cloudflare-r2', value), /is not an account id, and is not repeated.*\(authority_unusable\)\nhint: it is the 32/],
      [await other('aws-iam', pair), /is not an account id, and is not repeated.*\nhint: it has 12 digits/],
      [await other('ceph-admin', pair), /is not an account id, and is not repeated.*\nhint: it is the user that owns/],
      [await place.run(...files), /^error: Token a: What --token-file names is not there/m],
      [await given('--provider-url', `https://user:${value}@api.example.org`), /--provider-url: an address here has no user, password/],
    ] as const) {
      assert.notEqual(ended.code, 0);
      assert.match(ended.stderr, said);
      assert.equal(`${ended.stdout}${ended.stderr}`.includes(value), false);
    }
  });

  test('what is asked wrongly is told without repeating a secret', async () => {
    const wrong: readonly (readonly [args: readonly string[], said: RegExp])[] = [
      [
        ['provider', 'import-admin-pair', '--provider', 'static', '--account', 'x', '--token-file', 'a.token', ...at()],
        /must be given twice/,
      ],
      [['provider', 'status', '--store', 'hush'], /--store: must be env, file:/],
      [['provider', 'status', '--store', 's3:nowhere'], /--store: must be env, file:/],
      [['provider', 'status', ...at(), '--store-token-ref', 'hvs.hush'], /never the token itself/],
      [['provider', 'revoke', '--generation', '0', ...there()], /whole number from 1/],
      [['provider', 'rotate', '--bucket', 'b', '--lifetime', '9', ...there()], /from 3600 to 604800/],
      [['provider', 'rotate', '--bucket', 'b', '--other-bucket', 'b', ...there()], /must name another bucket than --bucket/],
      [['provider', 'rotate', '--bucket', 'b', ...there()], /required option '--other-bucket <name>' not specified/],
      [['provider', 'rotate', '--bucket', 'b', '--other-bucket', 'c', '--store', 'env'], /The store the environment cannot be written to/],
    ];
    for (const [args, said] of wrong) {
      const { code, stderr } = await place.run(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, said);
      assert.equal(stderr.includes('hush'), false);
    }
  });
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { openWorkplace } from '../workplace.ts';

describe('config print and config check', () => {
  const place = openWorkplace({
    ARTIFACTSTORE_PORT: '0',
    ARTIFACTSTORE_AUTH_TOKENS: 'ci=hush-hush-hush-hush',
    ARTIFACTSTORE_DATABASE_URL: 'postgresql://me:hush@db/x',
  });
  after(() => place[Symbol.dispose]());
  const settings = async (...options: readonly string[]) =>
    (await place.json<{ readonly settings: readonly { name: string; value: string; from: string }[] }>('config', 'print', ...options))
      .settings;

  test('prints what was set, with where, and no secret', async () => {
    place.write({ '.env': 'ARTIFACTSTORE_LOG_LEVEL=DEBUG\nARTIFACTSTORE_PORT=1\n' });
    const made = await settings();
    assert.deepEqual(
      made.find(({ name }) => name === 'ARTIFACTSTORE_LOG_LEVEL'),
      { name: 'ARTIFACTSTORE_LOG_LEVEL', value: 'DEBUG', from: '.env' },
    );
    assert.partialDeepStrictEqual(
      made.find(({ name }) => name === 'ARTIFACTSTORE_PORT'),
      { value: '0', from: 'environment' },
    );
    assert.ok(!JSON.stringify(made).includes('hush'));
    assert.ok(!made.some(({ from }) => from === 'default'));
    const all = await settings('--all');
    assert.ok(all.length > made.length);
    assert.equal(all.find(({ name }) => name === 'ARTIFACTSTORE_BASE_PATH')?.from, 'default');
    const table = await place.run('config', 'print');
    assert.match(table.stdout, /ARTIFACTSTORE_LOG_LEVEL +DEBUG +\.env/);
    assert.ok(!table.stdout.includes('hush'));
    place.write({ '.env': '' });
  });

  test('takes a file that a unit is given in place of the environment, and refuses what readers take differently', async () => {
    place.write({ 'serve.env': '# of the unit\nARTIFACTSTORE_PORT=9000\n' });
    assert.deepEqual(await settings('--settings', 'serve.env'), [{ name: 'ARTIFACTSTORE_PORT', value: '9000', from: 'serve.env' }]);
    place.write({ 'odd.env': 'ARTIFACTSTORE_PORT="9000"\nARTIFACTSTORE_HOST=a\nARTIFACTSTORE_HOST=b\n' });
    const odd = await place.run('config', 'check', '--settings', 'odd.env');
    assert.equal(odd.code, 2);
    assert.match(odd.stderr, /line 1, ARTIFACTSTORE_PORT: has quotes/);
    assert.match(odd.stderr, /line 3, ARTIFACTSTORE_HOST: is there twice/);
    const none = await place.run('config', 'check', '--settings', 'none.env');
    assert.equal(none.code, 2);
    assert.match(none.stderr, /none\.env/);
  });

  test('says all that is wrong: settings, what they refer to, and the access file', async () => {
    const check = async (text: string) => {
      place.write({ 'serve.env': text });
      return await place.run('config', 'check', '--settings', 'serve.env');
    };
    const right = await check('ARTIFACTSTORE_PORT=9000\n');
    assert.deepEqual([right.code, right.stdout, right.stderr], [0, 'right 1 setting; all others have their defaults\n', '']);
    const misspelt = await check('ARTIFACTSTORE_PROT=9000\nARTIFACTSTORE_ANON_READ=maybe\n');
    assert.equal(misspelt.code, 2);
    assert.match(misspelt.stderr, /did you mean ARTIFACTSTORE_PORT/);
    assert.match(misspelt.stderr, /neither true nor false/);
    const bucket =
      'ARTIFACTSTORE_STORAGE_BACKENDS=s3\nARTIFACTSTORE_S3_BUCKET=b\nARTIFACTSTORE_S3_SECRET_KEY_REF=env:STORE_SECRET\n' +
      'ARTIFACTSTORE_S3_ACCESS_KEY_REF=env:STORE_KEY\nSTORE_SECRET=changeme\n';
    const keys = await check(bucket);
    assert.equal(keys.code, 2);
    assert.match(keys.stderr, /STORE_KEY/);
    assert.match(keys.stderr, /placeholder/);
    assert.ok(!keys.stderr.includes('changeme'));
    place.write({ 'access.toml': '[[grants]]\nrole = "emperor"\n' });
    const access = await check('ARTIFACTSTORE_ACCESS_CONFIG_PATH=access.toml\n');
    assert.equal(access.code, 2);
    assert.match(access.stderr, /emperor/);
    place.write({ 'access.toml': '# nothing\n' });
    chmodSync(place.path('access.toml'), 0o646);
    const open = await check('ARTIFACTSTORE_ACCESS_CONFIG_PATH=access.toml\n');
    assert.equal(open.code, 2, open.stderr);
    chmodSync(place.path('access.toml'), 0o600);
    const token = 'hush-hush-hush-hush';
    const digest = createHash('sha256').update(token).digest('hex');
    place.write({ 'access.toml': `[[grants]]\ntoken_sha256 = "${digest}"\nactor = "ci"\nrole = "admin"\n` });
    const withFile = 'ARTIFACTSTORE_ACCESS_CONFIG_PATH=access.toml\n';
    assert.equal((await check(withFile)).code, 0);
    const both = await check(`${withFile}ARTIFACTSTORE_AUTH_TOKENS=ci=${token}\n`);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /is a token of ARTIFACTSTORE_AUTH_TOKENS/);
    assert.ok(!both.stderr.includes(token));
    const client = (secret: string) =>
      '[issuers.people]\nissuer = "https://login.example"\naudience = "console"\n' +
      `[issuers.people.console]\nclient_id = "console"\nurl = "https://here.example/"\nclient_secret = "${secret}"\n`;
    place.write({ 'access.toml': client(`file:${place.path('client-secret')}`) });
    const missing = await check(withFile);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /client_secret of \[issuers\.people\.console\]: the file of file:\S+client-secret/);
    place.write({ 'client-secret': 'hush-hush-client' });
    chmodSync(place.path('client-secret'), 0o600);
    const found = await check(withFile);
    assert.equal(found.code, 0, found.stderr);
    place.write({ 'access.toml': client('hush-hush-client') });
    const itself = await check(withFile);
    assert.equal(itself.code, 2);
    assert.ok(/client_secret must be env:NAME/.test(itself.stderr) && !itself.stderr.includes('hush-hush-client'), itself.stderr);
  });
});

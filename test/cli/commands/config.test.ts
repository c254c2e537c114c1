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

  test('a path drives no terminal, and is one line', async () => {
    for (const command of [
      ['config', 'check'],
      ['store', 'probe'],
    ]) {
      const { stderr } = await place.run(...command, '--settings', '\u001b[31mred\u0007\nerror: forged');
      assert.match(
        stderr,
        /^error: "[^"\n]*\ufffd\[31mred\ufffd\ufffderror: forged" can't be read: it is not there \(ENOENT\)\. \(invalid_path\)\n/,
      );
    }
    const { stderr } = await place.run('config', 'chek\u001b[31m\nerror: forged');
    assert.match(stderr, /^error: unknown command 'chek\ufffd\[31m\ufffderror: forged'\n$/);
    const guessed = await place.run('config', 'chek');
    assert.equal(guessed.stderr, "error: unknown command 'chek'\n(Did you mean check?)\n");
    const json = await place.run('--json', 'config', 'x\u009b');
    assert.match(json.stderr, /^\{"code":"usage","detail":"unknown command 'x\\u009b'/);
  });

  test('no line of `.env` with a setting is dropped in silence, by no command', async () => {
    place.write({ '.env': '\ufeffARTIFACTSTORE_API_URL=http://127.0.0.1:9\n' });
    for (const command of [['config', 'check'], ['config', 'print'], ['packages', 'list'], ['health']]) {
      const { code, stderr } = await place.run(...command);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /ARTIFACTSTORE_API_URL: line 1 of \.env begins with a byte order mark/);
    }
    place.write({ '.env': 'plain sentences.\n' });
    const { code, stdout, stderr } = await place.run('config', 'check');
    assert.equal(code, 0, stdout);
    assert.match(stderr, /^warning: nothing of \S+\.env counts: no line of it is NAME=value\n$/);
    place.write({ '.env': '' });
  });

  test('a file of settings counts alone, without `.env`', async () => {
    place.write({ '.env': 'ARTIFACTSTORE_PORT=1\nARTIFACTSTORE_PROT=1\n', 'serve.env': 'ARTIFACTSTORE_HOST=a\n' });
    assert.deepEqual(await settings('--settings', 'serve.env'), [{ name: 'ARTIFACTSTORE_HOST', value: 'a', from: 'serve.env' }]);
    assert.equal((await place.run('config', 'check', '--settings', 'serve.env')).stderr, '');
    place.write({ '.env': '' });
  });

  test('refuses a file in which no setting is, whoever asks', async () => {
    for (const [text, said] of [
      ['', /sets nothing: it is empty, or all of it is comments/],
      ['#ARTIFACTSTORE_PORT=9000\n', /sets nothing/],
      ['PORT=9000\nHOST=a\n', /none of its 2 names is a setting: those of artifactstore begin with ARTIFACTSTORE_/],
      ['S3_REGION=auto\n', /its one name is no setting[^\n]*\nhint: it looks like a file for `store init`/],
      ['services:\n  a:\n    image: b\n', /is no file of settings: none of its 3 lines is NAME=value/],
      ['PORT="9000"\n', /line 1, PORT: has quotes/],
    ] as const) {
      place.write({ 'other.env': text });
      for (const command of ['check', 'print']) {
        const { code, stdout, stderr } = await place.run('config', command, '--settings', 'other.env');
        assert.deepEqual([code, stdout], [2, ''], text);
        assert.match(stderr, said);
      }
    }
    place.write({ 'other.env': 'PORT="9000"\n' });
    assert.match(
      (await place.run('config', 'check', '--settings', 'other.env')).stderr,
      /is wrong in 2 places:\n {2}its one name is no setting/,
    );
  });

  test('tells at once what is wrong with lines, settings, keys and the access file, each once', async () => {
    place.write({ 'access.toml': '[[grants]]\nrole = "emperor"\n' });
    const check = async (text: string) => {
      place.write({ 'serve.env': text });
      const { code, stderr } = await place.run('config', 'check', '--settings', 'serve.env', '--json');
      assert.equal(code, 2);
      const { detail, info, hint = '' } = JSON.parse(stderr) as { detail: string; info: { problems: { name?: string }[] }; hint?: string };
      return { detail, names: info.problems.map(({ name }) => name), hint };
    };
    const s3 = 'ARTIFACTSTORE_STORAGE_BACKENDS=s3\nARTIFACTSTORE_S3_BUCKET=b\nARTIFACTSTORE_S3_SECRET_KEY_REF=env:STORE_SECRET\n';
    const keys = `${s3}ARTIFACTSTORE_S3_ACCESS_KEY_REF=env:STORE_KEY\nSTORE_SECRET=changeme\nSTORE_KEY=AKIA1234567890\n`;
    const all = await check(`${keys}ARTIFACTSTORE_ACCESS_CONFIG_PATH=access.toml\n export ARTIFACTSTORE_PROT=1\nARTIFACTSTORE_HSOT=a\n`);
    assert.deepEqual(all.names, [
      'ARTIFACTSTORE_PROT',
      'ARTIFACTSTORE_HSOT',
      'ARTIFACTSTORE_PROT',
      'ARTIFACTSTORE_S3_SECRET_KEY_REF',
      'ARTIFACTSTORE_ACCESS_CONFIG_PATH',
    ]);
    assert.match(all.detail, /placeholder/);
    assert.match(all.detail, /emperor/);
    assert.equal(all.hint, 'write plain NAME=value lines');
    // What follows from a value that is wrong is not told: neither that it is missing, nor what it would lead to.
    assert.deepEqual((await check(keys.replace('=b\n', '="b"\n'))).names, ['ARTIFACTSTORE_S3_BUCKET']);
    const quoted = await check(keys.replace('=b\n', '="b"\n').replace('=s3\n', '="s3"\n'));
    assert.deepEqual(quoted.names, ['ARTIFACTSTORE_STORAGE_BACKENDS', 'ARTIFACTSTORE_S3_BUCKET']);
    assert.match(quoted.hint, /keys of buckets are looked at when their settings are right/);
    assert.deepEqual((await check(keys.replace('=s3\n', '=s4\n'))).names, ['ARTIFACTSTORE_STORAGE_BACKENDS']);
    assert.deepEqual((await check('ARTIFACTSTORE_ACCESS_CONFIG_PATH="access.toml"\n')).names, ['ARTIFACTSTORE_ACCESS_CONFIG_PATH']);
  });
});

import assert from 'node:assert/strict';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { tokenOf } from '../../src/cli/connect.ts';
import { readConfig } from '../../src/config/config.ts';
import { unverifiedClaims } from '../../src/protocol/jwt-claims.ts';
import { openJobPlatform } from '../deploy/job-platform.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** Whoever it is, it keeps what it is sent. */
const heard: (string | undefined)[] = [];
const answer = { code: 'unauthorized', detail: 'No.\nhint: run this', info: { hint: 'so\u001b[8m\u202e\u009b2J\r\u2028error: that' } };
const stranger = createServer((request, response) => {
  heard.push(request.headers.authorization);
  response.writeHead(401, { 'content-type': 'application/problem+json' }).end(JSON.stringify(answer));
});
let url: string;
before(async () => {
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
});
after(() => stranger.close());

async function heardFrom(
  place: Workplace,
  ...more: readonly string[]
): Promise<{ readonly tokens: readonly (string | undefined)[]; readonly stderr: string }> {
  heard.length = 0;
  const { code, stderr } = await place.run('packages', 'list', ...more);
  assert.notEqual(code, 0);
  return { tokens: [...heard], stderr };
}

test('a token of the environment is not sent where a file of the directory points', async () => {
  using place = openWorkplace();
  place.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\n` });
  const { tokens, stderr } = await heardFrom(place);
  assert.deepEqual(tokens, []);
  assert.match(
    stderr,
    /comes from .*\.env: ARTIFACTSTORE_API_TOKEN of the environment is not sent to http.* \(invalid_configuration\)\nhint: .*--api-url/,
  );
  assert.doesNotMatch(stderr, /cli-test-token/);
  // Who names the address is who may say yes.
  assert.deepEqual((await heardFrom(place, '--api-url', url)).tokens, ['Bearer cli-test-token']);
});

test('a token of the directory goes to its own address and to the one that the user gives', async () => {
  using place = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '' });
  place.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\nARTIFACTSTORE_API_TOKEN=of-the-directory\n` });
  assert.deepEqual((await heardFrom(place)).tokens, ['Bearer of-the-directory']);
  assert.deepEqual((await heardFrom(place, '--api-url', url)).tokens, ['Bearer of-the-directory']);
});

test('a token that dev made elsewhere is not sent where a file of the directory points', async () => {
  using home = openWorkplace();
  home.write({ 'var/dev-token': 'made-by-dev\n' });
  for (const database of [`ARTIFACTSTORE_DATABASE_URL=sqlite:${home.path('var/artifactstore.db')}`, '']) {
    using place = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '' });
    place.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\n${database}\n` });
    if (database === '') symlinkSync(home.path('var'), place.path('var'));
    const { tokens, stderr } = await heardFrom(place);
    assert.deepEqual(tokens, []);
    assert.match(stderr, /the token in .*dev-token is not sent/);
  }
  using own = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '' });
  own.write({ 'var/dev-token': 'made-by-dev\n', '.env': `ARTIFACTSTORE_API_URL=${url}\n` });
  assert.deepEqual((await heardFrom(own)).tokens, ['Bearer made-by-dev']);
});

test('a token that dev made stays on this machine, whatever the name of another begins with', async () => {
  using place = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '' });
  place.write({ 'var/dev-token': 'made-by-dev\n' });
  // Neither name leads anywhere, so what would be sent is read from the configuration of the client.
  const config = (apiUrl: string) => ({ ...readConfig({ ARTIFACTSTORE_API_URL: apiUrl }, { directory: place.directory }) });
  assert.equal(tokenOf(config('http://127.0.0.1:1')), 'made-by-dev');
  assert.equal(tokenOf(config('http://127.0.0.1.example.org')), undefined);
});

test('a file of a token is read for each command, and a directory may name none but its own', async () => {
  using place = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_API_URL: url, ARTIFACTSTORE_API_TOKEN_FILE: 'token' });
  place.write({ token: 'first\n' });
  chmodSync(place.path('token'), 0o600);
  assert.deepEqual((await heardFrom(place)).tokens, ['Bearer first']);
  writeFileSync(place.path('token'), 'second');
  assert.deepEqual((await heardFrom(place)).tokens, ['Bearer second']);

  using home = openWorkplace();
  home.write({ token: 'of-the-user\n' });
  chmodSync(home.path('token'), 0o600);
  using visited = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '' });
  const choose = (file: string): void => visited.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\nARTIFACTSTORE_API_TOKEN_FILE=${file}\n` });
  for (const file of [home.path('token'), 'link']) {
    if (file === 'link') symlinkSync(home.path('token'), visited.path('link'));
    choose(file);
    const { tokens, stderr } = await heardFrom(visited);
    assert.deepEqual(tokens, []);
    assert.match(stderr, /comes from .*\.env: the token in .* is not sent to http/);
  }
  visited.write({ own: 'of-the-directory' });
  chmodSync(visited.path('own'), 0o600);
  choose('own');
  assert.deepEqual((await heardFrom(visited)).tokens, ['Bearer of-the-directory']);

  using named = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_API_TOKEN_FILE: home.path('token') });
  named.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\n` });
  assert.deepEqual((await heardFrom(named)).tokens, []);
  // Wherever that file is: the user keeps it for another server.
  using inside = openWorkplace({ ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_API_TOKEN_FILE: 'own' });
  inside.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\n`, own: 'of-the-user' });
  chmodSync(inside.path('own'), 0o600);
  assert.deepEqual((await heardFrom(inside)).tokens, []);
  assert.deepEqual((await heardFrom(named, '--api-url', url)).tokens, ['Bearer of-the-user']);
});

test('the identity of a job goes to the address that the job gives, with that address as its audience', async () => {
  await using platform = await openJobPlatform();
  const job = { ...platform.variables, ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_IDENTITY: 'github-actions' };
  using place = openWorkplace({ ...job, ARTIFACTSTORE_API_URL: `${url}/` });
  const { tokens, stderr } = await heardFrom(place);
  assert.equal(unverifiedClaims(tokens[0]?.replace('Bearer ', '') ?? '')?.aud, url);
  // Refused once, and once with a second token.
  assert.equal(tokens.length, 2);
  assert.notEqual(tokens[0], tokens[1]);
  assert.doesNotMatch(stderr, new RegExp(platform.variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN));

  using gitlab = openWorkplace({
    ARTIFACTSTORE_API_TOKEN: '',
    ARTIFACTSTORE_API_URL: url,
    ARTIFACTSTORE_IDENTITY: 'gitlab-ci',
    ARTIFACTSTORE_ID_TOKEN: await platform.sign('https://a.example.org'),
  });
  assert.equal((await heardFrom(gitlab)).tokens.length, 1);

  for (const identity of ['github-actions', 'gitlab-ci']) {
    using visited = openWorkplace({ ...platform.variables, ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_ID_TOKEN: 'x' });
    visited.write({ '.env': `ARTIFACTSTORE_API_URL=${url}\nARTIFACTSTORE_IDENTITY=${identity}\n` });
    const asked = platform.asked.length;
    const told = await heardFrom(visited);
    assert.deepEqual([told.tokens, platform.asked.length], [[], asked]);
    assert.match(told.stderr, new RegExp(`the identity of this job \\(${identity}\\) is not sent`));
  }
});

test('a server can not hide, move or add to what a command says', async () => {
  using place = openWorkplace({ ARTIFACTSTORE_API_URL: url });
  const { stderr } = await heardFrom(place);
  assert.equal(stderr, 'error: No. hint: run this (unauthorized)\nhint: so\ufffd[8m\ufffd\ufffd2J error: that\n');
  assert.doesNotMatch((await heardFrom(place, '--json')).stderr.trimEnd(), /[\p{Cc}\p{Bidi_Control}\u2028]/u);
});

test('an address or a token that is none is told under the name that was used, before anything is sent', async () => {
  for (const [token, args, told] of [
    [
      't',
      ['--api-url', 'ftp://x'],
      /^error: --api-url: "ftp:\/\/x" is not an http:\/\/ or https:\/\/ address\. \(invalid_configuration\)\n$/,
    ],
    [' \n', [], /ARTIFACTSTORE_API_TOKEN: is only white space/],
    ['secret word', [], /ARTIFACTSTORE_API_TOKEN: is not a token/],
    ['gehe\u00eeim', [], /ARTIFACTSTORE_API_TOKEN: is not a token/],
  ] as const) {
    using place = openWorkplace({ ARTIFACTSTORE_API_URL: url, ARTIFACTSTORE_API_TOKEN: token });
    const { tokens, stderr } = await heardFrom(place, ...args);
    assert.deepEqual(tokens, []);
    assert.match(stderr, told);
    assert.ok(token.length < 2 || !stderr.includes(token));
  }
});

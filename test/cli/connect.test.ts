import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
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

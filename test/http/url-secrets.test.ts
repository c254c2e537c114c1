import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concealJwts, holdsJwt, refuseUrlSecrets } from '../../src/http/url-secrets.ts';
import { openIdentity } from '../../src/identity/open.ts';
import { openDoor, token, until } from '../doors/rest/open-door.ts';

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.c2lnbmF0dXJl';
const known = 'abcdefghijklmnopqrstuvwxyz';
const address = `blake3:${'0'.repeat(64)}`;
const file = '/packages/01a1fa8d-e41b-715e-9755-17c99085bfe0/files/';

const refused = (url: string, namesFiles = false): boolean => {
  try {
    refuseUrlSecrets(url, { isToken: (word) => word === known, namesFiles });
    return false;
  } catch {
    return true;
  }
};

test('a URL with a token is refused, whatever shows that it is one', () => {
  for (const url of [
    '/packages?access_token=a',
    '/packages?limit=1&TOKEN=a',
    '/events?Authorization=Bearer%20a',
    '/packages?%74oken=a',
    '/packages/token=a',
    '/packages;access_token=a',
    `/packages/${jwt}`,
    `/packages?subject=${jwt}`,
    `/packages?subject=x${jwt.replaceAll('.', '%2E')}`,
    `/packages/${known}`,
    `/packages?producer=${known}&limit=1`,
    `/packages/%61${known.slice(1)}`,
    `/packages/${known}.`,
    `/packages?subject=x-${known}.txt`,
    `/packages/(${known})`,
  ])
    assert.equal(refused(url), true, url);
  for (const url of [`${file}${jwt}`, `${file}a/${known}`, `${file}a?token=a`]) assert.equal(refused(url, true), true, url);
});

test('a token as short as one may be is found among short words', () => {
  const shortest = 'abcdefghijklmnop';
  const isToken = (word: string): boolean => word === shortest;
  assert.throws(() => refuseUrlSecrets(`/files/${shortest}/download`, { isToken, namesFiles: false }));
  assert.throws(() => refuseUrlSecrets(`/files/${shortest}`, { isToken, namesFiles: true }));
  assert.doesNotThrow(() => refuseUrlSecrets(`/files/${shortest.slice(1)}/download`, { isToken, namesFiles: false }));
});

test('an id is no token in a path, and may be one in a parameter', () => {
  const id = '01a1fa8d-e41b-715e-9755-17c99085bfe0';
  const isToken = (word: string): boolean => word === id;
  assert.throws(() => refuseUrlSecrets(`/packages?subject=${id}`, { isToken, namesFiles: false }));
  assert.doesNotThrow(() => refuseUrlSecrets(`/packages/${id}`, { isToken, namesFiles: false }));
});

test('of a URL that is made of many words, so many are looked at', () => {
  let asked = 0;
  const isToken = (): boolean => {
    asked += 1;
    return false;
  };
  const words = Array.from({ length: 1_000 }, (_, number) => `alongerword${number}ofmany`);
  refuseUrlSecrets(`/packages/${words.join('/')}?${words.map((word) => `x=${word}`).join('&')}`, { isToken, namesFiles: false });
  assert.equal(asked, 64);
  asked = 0;
  refuseUrlSecrets(`/packages/${'sixteen-letters-and-more.'.repeat(100)}`, { isToken, namesFiles: false });
  assert.ok(asked > 10 && asked < 200, `${asked} were asked for`);
});

test('a URL without one is not', () => {
  for (const url of [
    '/',
    '/packages?metadata.token=a&subject=token',
    '/packages?subject=authorization',
    '/token',
    `/objects/${address}`,
    '/docs/eyJ.js',
    '/packages?subject=eyJhbGciOiJSUzI1NiJ9.x',
    '/%',
  ])
    assert.equal(refused(url), false, url);
  for (const path of ['token=ETH/part-0.parquet', 'access_token=', 'a.b.c', 'eyJ.eyJ.eyJ'])
    assert.equal(refused(`${file}${path}`, true), false, path);
});

test('what has the form of a JWT is left out of a text, in time that grows with the text', () => {
  assert.equal(concealJwts(`a x${jwt} b`), 'a x(token) b');
  assert.equal(concealJwts(`"${jwt}","${jwt}"`), '"(token)","(token)"');
  assert.equal(concealJwts('eyJ a.b.c'), 'eyJ a.b.c');
  assert.equal(holdsJwt('eyJ'.repeat(1_000_000)), false);
  assert.equal(holdsJwt('eyJ.'.repeat(1_000_000)), false);
});

test('the log and the answer do not have the token, in whatever place of a request it was', async () => {
  const ofServer = await openIdentity({ tokens: [{ token, actor: 'a' }] });
  const identity = { ...ofServer, isSecret: (word: string) => word === known };
  await using door = await openDoor({ identity });
  const answers: string[] = [];
  const asked = [
    `/packages/${jwt}`,
    `/packages?subject=${jwt}`,
    `/no/such/route/${known}`,
    `/packages/${known}`,
    `/packages?access_token=${known}`,
    `/packages/%61${known.slice(1)}/files`,
    `${file}${jwt}`,
  ];
  for (const path of asked) {
    const answer = await door.call(path);
    const text = await answer.text();
    assert.equal(answer.status, 400, `${path}: ${text}`);
    assert.match(text, /The URL holds a token: send it in the Authorization field/);
    answers.push(text, JSON.stringify([...answer.headers]));
  }
  const answer = await door.call('/livez', { headers: { 'x-request-id': jwt } });
  answers.push(await answer.text(), JSON.stringify([...answer.headers]));
  await until(() => door.lines.filter((line) => line.includes('"msg":"request"')).length === asked.length + 1);
  for (const text of [...answers, ...door.lines])
    for (const part of [known.slice(1), ...jwt.split('.')]) assert.ok(!text.includes(part), text);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identified, Identity } from '../../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import type { Grant, Principal } from '../../../src/kernel/access.ts';
import { assertProblem, authorization, type Door, openDoor, token } from './open-door.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly open: boolean;
}

/** Every route that the description lists, with an example of a path. */
function operations(door: Door): readonly Operation[] {
  const { paths } = door.door.describe() as { paths: Record<string, Record<string, { security: readonly object[] }>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path
        .replace('{id}', '01890000-0000-7000-8000-000000000000')
        .replace('{hold_id}', '01890000-0000-7000-8000-000000000000')
        .replace('{relative_path}', 'a/b')
        .replace('{slug}', 'x')
        .replace('{content_address}', `sha256:${'0'.repeat(64)}`),
      open: security.length === 0 || security.some((one) => Object.keys(one).length === 0),
    })),
  );
}

const anonymous = ['/', '/health', '/livez', '/packages/01890000-0000-7000-8000-000000000000/files/a/b', '/readyz', '/uploads', '/whoami'];
const success = (method: string): number => (method === 'OPTIONS' ? 204 : 200);
/** Open to everybody, but not to a wrong token: whoever asks it wants to know. */
const strict = '/whoami';

test('without a token every route but the anonymous ones answers 401, and the right ones are anonymous', async () => {
  await using door = await openDoor();
  const all = operations(door);
  assert.deepEqual(
    all
      .filter(({ open }) => open)
      .map(({ path }) => path)
      .sort(),
    anonymous,
  );
  for (const { method, path, open } of all) {
    const response = await fetch(door.url + path, { method });
    if (open) assert.equal(response.status, success(method), path);
    else {
      assert.equal(response.status, 401, `${method} ${path}`);
      assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="artifactstore"');
      if (method !== 'HEAD') await assertProblem(response, 401, 'unauthorized');
    }
  }
  for (const path of ['/openapi.json', '/docs', '/docs/json']) assert.equal((await fetch(door.url + path)).status, 200, path);
  assert.equal(await door.lastSequence(), 0);
});

test('the challenge says why a token was not enough, and nothing where none was sent', async () => {
  const ofServer = await openIdentity({ tokens: [{ token, actor: 'a' }] });
  const grants: readonly Grant[] = [{ role: 'reader', producers: [{ exact: 'p' }] }];
  const reader: Principal = { actor: 'Jürgen "x"', share: 'r', grants };
  const identity: Identity = {
    ...ofServer,
    anonymous: grants,
    identify: (shown) => (shown === 'reader' ? { principal: reader, by: 'token of the test', expiresAt: null } : ofServer.identify(shown)),
  };
  await using door = await openDoor({ identity });
  const { id } = await door.newPackage();
  const challenge = async (path: string, authorization?: string, method = 'GET'): Promise<string | null> => {
    const headers = { ...(authorization === undefined ? {} : { authorization }) };
    return (await fetch(door.url + path, { method, headers })).headers.get('www-authenticate');
  };
  const plain = 'Bearer realm="artifactstore"';
  const why = 'error_description="The bearer token is not one that this server knows."';
  assert.equal(await challenge('/packages', 'Bearer wrong'), `${plain}, error="invalid_token", ${why}`);
  for (const other of ['Basic eDp5', 'bearerless']) assert.equal(await challenge('/packages', other), plain);
  assert.equal(await challenge(`/packages/${id}/finalize`, undefined, 'POST'), plain);
  assert.equal(await challenge('/metrics'), plain);
  assert.equal(await challenge(`/packages/${id}`), null);
  assert.equal(
    await challenge(`/packages/${id}/finalize`, 'Bearer reader', 'POST'),
    `${plain}, error="insufficient_scope", error_description="J?rgen 'x' may not do this for the producer 'p': the right 'write' is missing.", scope="write"`,
  );
  assert.match((await challenge('/usage', 'Bearer reader')) ?? '', /error="insufficient_scope", .*, scope="observe"$/);
});

test('a wrong token is refused everywhere, even where none would do', async () => {
  await using door = await openDoor({ anonymousRead: true });
  const wrong = [
    'Bearer wrong',
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Basic ${btoa(`x:${token}`)}`,
    token,
    `Bearer ${token}, x`,
    'Bearer a b',
  ];
  for (const authorization of wrong)
    for (const { method, path, open } of operations(door).filter((one, index) => index < 6 || one.path === strict)) {
      const response = await fetch(door.url + path, { method, headers: { authorization } });
      assert.equal(response.status, open && path !== strict ? success(method) : 401, `${method} ${path} ${authorization}`);
    }
});

/** Its body says what is read. */
const readsByPost = /^\/packages\/[^/]+\/archive$/;

test('ANON_READ opens reads and nothing else', async () => {
  await using door = await openDoor({ anonymousRead: true });
  for (const { method, path } of operations(door)) {
    const { status } = await fetch(door.url + path, { method });
    if (['GET', 'HEAD', 'OPTIONS'].includes(method) || readsByPost.test(path)) assert.notEqual(status, 401, `${method} ${path}`);
    else assert.equal(status, 401, `${method} ${path}`);
  }
  assert.equal(await door.lastSequence(), 0);
});

test('with no token configured every protected route answers 401', async () => {
  await using door = await openDoor({ tokens: [] });
  for (const { method, path, open } of operations(door)) {
    const { status } = await fetch(door.url + path, { method, headers: { authorization: 'Bearer x' } });
    assert.equal(status, open && path !== strict ? success(method) : 401, `${method} ${path}`);
  }
});

test('the actor is the one of the token, never of the body', async () => {
  await using door = await openDoor({
    tokens: [
      { token: 'one', actor: 'first' },
      { token: 'two', actor: 'second' },
    ],
  });
  const create = async (bearer: string, more: object = {}) =>
    await fetch(`${door.url}/packages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', ...more }),
    });
  assert.equal(((await (await create('one')).json()) as { created_by: string }).created_by, 'first');
  assert.equal(((await (await create('two')).json()) as { created_by: string }).created_by, 'second');
  await assertProblem(await create('two', { created_by: 'me' }), 400, 'malformed_request');
  await assertProblem(await create('two', { actor: 'me' }), 400, 'malformed_request');
});

test('the scheme is read in any case, and the connection survives a refusal', async () => {
  await using door = await openDoor();
  const response = await fetch(`${door.url}/packages`, { headers: { authorization: `bearer ${token}` } });
  assert.equal(response.status, 200);
});

test('several Authorization fields are refused, whichever comes first', async () => {
  await using door = await openDoor();
  const fields = [`authorization: ${authorization}\r\n`, 'Authorization: Bearer another\r\n'];
  for (const [one, other] of [fields, fields.toReversed(), [fields[0], fields[0]]]) {
    const answer = await door.raw(`GET /whoami HTTP/1.1\r\nhost: x\r\n${one}${other}connection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 401 .*several Authorization fields/s);
  }
});

test('what is for everybody is for those with a token, too, from the request on that follows a change', async () => {
  const grant = (producer: string): Grant => ({ role: 'reader', producers: [{ exact: producer }] });
  let anonymous: readonly Grant[] = [];
  const ofToken: Identified = { principal: { actor: 'reader', share: 'reader', grants: [grant('own')] }, by: 'a test', expiresAt: null };
  const identity: Identity = {
    identify: () => ofToken,
    get anonymous() {
      return anonymous;
    },
    quotaOf: () => undefined,
    status: () => undefined,
    async [Symbol.asyncDispose]() {},
  };
  for (const anonymousRead of [false, true]) {
    await using door = await openDoor({ identity, anonymousRead });
    for (const producer of ['own', 'public', 'other'])
      await door.registry.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' });
    const seen = async (headers: Readonly<Record<string, string>>) => {
      const response = await fetch(`${door.url}/packages`, { headers });
      const { items = [] } = (await response.json()) as { readonly items?: readonly { readonly producer: string }[] };
      return items.map(({ producer }) => producer).sort();
    };
    const all = ['other', 'own', 'public'];
    anonymous = [];
    assert.deepEqual(await seen({ authorization }), anonymousRead ? all : ['own']);
    anonymous = [grant('public')];
    assert.deepEqual(await seen({}), anonymousRead ? all : ['public']);
    assert.deepEqual(await seen({ authorization }), anonymousRead ? all : ['own', 'public']);
    anonymous = [grant('other')];
    assert.deepEqual(await seen({}), anonymousRead ? all : ['other']);
    assert.deepEqual(await seen({ authorization }), anonymousRead ? all : ['other', 'own']);
    anonymous = [];
    assert.deepEqual(await seen({}), anonymousRead ? all : []);
  }
});

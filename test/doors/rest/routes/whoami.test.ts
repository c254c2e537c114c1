import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity } from '../../../../src/identity/IDENTITY.ts';
import type { Grant } from '../../../../src/kernel/access.ts';
import { ArtifactstoreError } from '../../../../src/kernel/error.ts';
import { assertProblem, openDoor } from '../open-door.ts';

const grants: readonly Grant[] = [{ role: 'writer', producers: [{ exact: 'acme-app' }, { glob: 'acme-app-*' }] }];

test('whoever asks is told who it is taken for, and a wrong token is refused', async () => {
  await using door = await openDoor();
  const answer = await door.call('/whoami');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await answer.json(), {
    actor: 'tester',
    by: 'token of the server',
    expires_at: null,
    grants: [{ role: 'admin', producers: [{ glob: '*' }] }],
  });
  const nobody = { actor: 'anonymous', by: null, expires_at: null, grants: [] };
  assert.deepEqual(await (await fetch(`${door.url}/whoami`)).json(), nobody);
  await assertProblem(await fetch(`${door.url}/whoami`, { headers: { authorization: 'Bearer wrong' } }), 401, 'unauthorized');
});

test('a token that ends and what it may do are told as the identity has them, and everybody has what nobody has', async () => {
  const identity: Identity = {
    identify(token) {
      if (token === 'away') throw new ArtifactstoreError('identity_unavailable', 'The issuer is away.');
      return { principal: { actor: 'github:acme/app', share: 's', grants }, by: 'issuer github', expiresAt: 1_770_000_000_000 };
    },
    anonymous: [{ role: 'reader', producers: [{ exact: 'public' }] }],
    quotaOf: () => undefined,
    status: () => undefined,
    async [Symbol.asyncDispose]() {},
  };
  await using door = await openDoor({ identity });
  const ask = async (token?: string): Promise<Response> =>
    await fetch(`${door.url}/whoami`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual(await (await ask('t')).json(), {
    actor: 'github:acme/app',
    by: 'issuer github',
    expires_at: '2026-02-02T02:40:00.000Z',
    grants: [...grants, ...identity.anonymous],
  });
  assert.deepEqual(((await (await ask()).json()) as { grants: unknown }).grants, identity.anonymous);
  await assertProblem(await ask('away'), 503, 'identity_unavailable');
});

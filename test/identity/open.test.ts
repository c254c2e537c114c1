import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIdentity } from '../../src/identity/open.ts';
import { scopeOf } from '../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';

test('a token of the server may do everything, as its actor, and always as the same principal', async () => {
  await using identity = await openIdentity({
    tokens: [
      { token: 'one', actor: 'ci' },
      { token: 'two', actor: 'bob' },
    ],
  });
  const [first, again, other] = await Promise.all(['one', 'one', 'two'].map((token) => identity.identify(token)));
  assert.equal(first!.principal.actor, 'ci');
  assert.equal(first!.principal, again!.principal);
  assert.equal(other!.principal.actor, 'bob');
  assert.notEqual(first!.principal.share, other!.principal.share);
  for (const right of ['read', 'write', 'keep', 'observe', 'administer'] as const)
    assert.equal(scopeOf(first!.principal, right), 'everything');
});

test("nobody's token is unauthorized, and the message does not have it", async () => {
  await using identity = await openIdentity({ tokens: [{ token: 'one', actor: 'ci' }] });
  for (const token of ['on', 'one1', 'ONE', ''])
    assert.throws(
      () => identity.identify(token),
      (error) => isArtifactstoreError(error, 'unauthorized') && (token === '' || !error.message.includes(`"${token}"`)),
    );
});

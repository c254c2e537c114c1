import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a token of the server is none of the access file, and what the file knows is a secret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-open-'));
  try {
    const path = join(folder, 'access.toml');
    const digest = createHash('sha256').update('of-the-file').digest('hex');
    writeFileSync(path, `[[grants]]\ntoken_sha256 = "${digest}"\nactor = "backup"\nrole = "reader"\nproducers = ["p"]\n`);
    const open = (token: string) => openIdentity({ tokens: [{ token, actor: 'ci' }], accessFile: { path } });
    await using identity = await open('of-the-server');
    assert.deepEqual([identity.isSecret?.('of-the-file'), identity.isSecret?.('of-nobody')], [true, false]);
    await assert.rejects(
      open('of-the-file'),
      (error) => isArtifactstoreError(error, 'invalid_configuration') && /this is a token of ARTIFACTSTORE_AUTH_TOKENS/.test(error.message),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

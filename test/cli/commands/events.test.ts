import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIdentity } from '../../../src/identity/open.ts';
import type { Principal } from '../../../src/kernel/access.ts';
import { openServer } from '../../client/open-server.ts';
import { openWorkplace } from '../workplace.ts';

test('a token that sees a part of the log reads, pulls and verifies its part, and is told that the log cannot be verified', async () => {
  const ofServer = await openIdentity({ tokens: [{ token: 'client-test-token', actor: 'tester' }] });
  const reader: Principal = { actor: 'reader', share: 'reader', grants: [{ role: 'reader', producers: [{ exact: 'acme' }] }] };
  const known = { principal: reader, by: 'token of the test', expiresAt: null };
  const server = await openServer({
    identity: { ...ofServer, identify: (shown) => (shown === 'of-a-reader' ? known : ofServer.identify(shown)) },
  });
  try {
    using writer = openWorkplace({ ARTIFACTSTORE_API_URL: server.url, ARTIFACTSTORE_API_TOKEN: server.token });
    using place = openWorkplace({ ARTIFACTSTORE_API_URL: server.url, ARTIFACTSTORE_API_TOKEN: 'of-a-reader' });
    writer.write({ 'd/a': 'the same', 'd/b': 'b' });
    await writer.json('push', 'd', '--producer', 'other');
    const { package_id: id } = await writer.json<{ package_id: string }>('push', 'd', '--producer', 'acme');
    await writer.json('push', 'd', '--producer', 'other');

    const all = (await writer.run('events')).stdout.trimEnd().split('\n');
    const own = (await place.run('events')).stdout.trimEnd().split('\n');
    assert.equal(own.length, 5);
    assert.equal(all.length, 15);
    assert.ok(own.every((line) => all.includes(line)));

    const saved = await place.run('events', '--output', 'part.jsonl');
    assert.equal(saved.code, 0, saved.stderr);
    assert.match(saved.stdout + saved.stderr, /saved 5 events to part\.jsonl, the last is 10\n/);
    assert.match(saved.stderr, /this token sees a part of the log only: the file has gaps and no chain/);
    const verified = await place.run('events', 'verify', '--input', 'part.jsonl');
    assert.equal(verified.code, 2);
    assert.match(verified.stderr, /This is a part of a log, which cannot be verified/);
    assert.match(verified.stderr, /read it with one that has the role "admin"/);

    for (const command of [
      ['verify', id],
      ['pull', id, 'copy'],
    ]) {
      const { code, stderr } = await place.run(...command);
      assert.equal(code, 0, stderr);
    }
    const usage = await place.run('usage');
    assert.notEqual(usage.code, 0);
    assert.match(usage.stderr, /the right "observe" is missing/);
  } finally {
    await server.close();
  }
});

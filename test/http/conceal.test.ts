import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDoor, token, until } from '../doors/rest/open-door.ts';

test('a token that is put into a path or a request id is not in the log', async () => {
  await using door = await openDoor({
    tokens: [
      { token, actor: 'a' },
      { token: 'short', actor: 'b' },
    ],
  });
  const escaped = `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`;
  for (const text of [token, escaped, `x${token}x`, `${escaped}/files/short`]) await (await door.call(`/packages/${text}`)).text();
  await (await door.call('/livez', { headers: { 'x-request-id': token } })).text();
  await until(() => door.lines.filter((line) => line.includes('"msg":"request"')).length === 5);
  const paths = door.lines.map((line) => (JSON.parse(line) as { readonly path?: string }).path).filter((path) => path !== undefined);
  assert.deepEqual(paths, ['/packages/(token)', '/packages/(token)', '/packages/x(token)x', '/packages/(token)/files/short', '/livez']);
  assert.doesNotMatch(door.lines.join(''), new RegExp(`${token}|${escaped}`));
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openIdentity } from '../../src/identity/open.ts';
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
  assert.deepEqual(paths, ['(token)', '(token)', '/packages/x(token)x', '(token)', '/livez']);
  assert.doesNotMatch(door.lines.join(''), new RegExp(`${token}|${escaped}`));
});

test('neither is a token of the access file, nor one that an issuer signed, whoever sends it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-conceal-'));
  try {
    const path = join(folder, 'access.toml');
    const ofFile = 'a1b2c3d4e5f60718293a';
    const signed = `eyJ${'h'.repeat(20)}.eyJ${'c'.repeat(20)}.${'s'.repeat(20)}`;
    const most = signed.split('.', 2).join('.');
    const digest = createHash('sha256').update(ofFile).digest('hex');
    writeFileSync(path, `[[grants]]\ntoken_sha256 = "${digest}"\nactor = "x"\nrole = "admin"\n`);
    await using identity = await openIdentity({ tokens: [{ token, actor: 'a' }], accessFile: { path } });
    await using door = await openDoor({ identity });
    for (const text of [
      ofFile,
      `%61${ofFile.slice(1)}`,
      signed,
      `${ofFile}ish`,
      `x-${ofFile}.txt`,
      `%25${ofFile.charCodeAt(0).toString(16)}${ofFile.slice(1)}`,
      `files/${signed}/x`,
      most,
    ])
      await (await door.call(`/packages/${text}`)).text();
    for (const text of [ofFile, signed]) {
      const response = await door.call(`/packages?access_token=${text}`);
      assert.equal(response.status, 400);
      assert.doesNotMatch(await response.text(), new RegExp(text));
    }
    for (const id of [ofFile, most]) await (await fetch(`${door.url}/livez`, { headers: { 'x-request-id': id } })).text();
    await until(() => door.lines.filter((line) => line.includes('"msg":"request"')).length === 12);
    const paths = door.lines.map((line) => (JSON.parse(line) as { readonly path?: string }).path).filter((each) => each !== undefined);
    assert.deepEqual(
      paths.map((each) => each.replace('/packages', '')),
      [
        '(token)',
        '(token)',
        '(token)',
        `/${ofFile}ish`,
        '(token)',
        '/(token)',
        '(token)',
        '/(token)',
        '(token)',
        '(token)',
        '/livez',
        '/livez',
      ],
    );
    assert.doesNotMatch(door.lines.join(''), new RegExp(`${ofFile}"|${most}`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readAccessFile } from '../../src/identity/access-file/read.ts';
import type { Explanation } from '../../src/identity/explain.ts';
import { openWorkplace, type Workplace } from '../cli/workplace.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/access.md'), 'utf8');

/** Each recipe, the actor that its sample has, and a change to the sample with which nothing holds. */
const recipes: Readonly<
  Record<string, { readonly actor: string; readonly right: string; readonly change: readonly [from: string, to: string] }>
> = {
  'GitHub Actions': {
    actor: 'github:acme/app@refs/heads/main',
    right: 'write',
    change: ['"event_name": "push"', '"event_name": "pull_request_target"'],
  },
  'GitLab CI': { actor: 'gitlab:acme/app@main', right: 'write', change: ['"ref_protected": "true"', '"ref_protected": "false"'] },
  Kubernetes: { actor: 'k8s:ci/runner', right: 'write', change: ['"uid": "14ee3fa4', '"uid": "24ee3fa4'] },
  Keycloak: { actor: 'keycloak:nightly-tests', right: 'write', change: ['"sub": "0c9e8f7a', '"sub": "1c9e8f7a'] },
};

describe('docs/access.md', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
  });
  after(() => place[Symbol.dispose]());

  test('has access files that are right and say nothing that they do not mean', () => {
    const blocks = codeIn(page, 'toml');
    assert.equal(blocks.length, 1 + Object.keys(recipes).length);
    for (const toml of blocks) {
      const read = readAccessFile(Buffer.from(toml));
      assert.ok('file' in read, JSON.stringify(read));
      assert.deepEqual(read.file.warnings, [], toml);
    }
  });

  for (const [name, { actor, right, change }] of Object.entries(recipes))
    test(`has a recipe for ${name} that does what it says`, async () => {
      const section = page.split(/^### /m).find((text) => text.startsWith(`${name}\n`)) ?? '';
      const [[toml = ''], [claims = '']] = [codeIn(section, 'toml'), codeIn(section, 'json')];
      const [from, to] = change;
      assert.ok(claims.includes(from));
      place.write({ 'access.toml': toml, 'job.json': claims, 'other.json': claims.replace(from, to) });
      const check = ['access', 'check', '--file', 'access.toml', '--claims'];
      const { principal } = await place.json<{ principal: Explanation }>(...check, 'job.json');
      assert.deepEqual([principal.actor, principal.refused], [actor, null]);
      assert.ok(principal.may.some((each) => each.right === right));
      const other = await place.run(...check, 'other.json');
      assert.equal(other.code, 1);
      assert.match(other.stderr, /No grant of the issuer .* holds/);
    });

  test('tells the codes that there are', () => {
    for (const code of ['unauthorized', 'forbidden', 'quota_exceeded', 'identity_unavailable'])
      assert.ok(page.includes(`\`${code}\` |`), code);
  });
});

function codeIn(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAccessFile } from '../../src/identity/access-file/read.ts';
import type { Explanation } from '../../src/identity/explain.ts';
import { openIdentity } from '../../src/identity/open.ts';
import { openWorkplace, type Workplace } from '../cli/workplace.ts';
import { openServer } from '../client/open-server.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/access.md'), 'utf8');

type Change = readonly [from: string, to: string];

/** What one of the grants gives: to whom, and a change to the sample that makes it so. */
interface Given {
  readonly actor: string;
  readonly right: string;
}

/** Each recipe: who its sample is, a change with which nothing holds, and one with which another grant does. */
const recipes: Readonly<Record<string, Given & { readonly change: Change; readonly other?: Given & { readonly change: Change } }>> = {
  'GitHub Actions': {
    actor: 'github:acme/app@refs/heads/main',
    right: 'write',
    change: ['"event_name": "push"', '"event_name": "pull_request_target"'],
  },
  'GitLab CI': { actor: 'gitlab:acme/app@main', right: 'write', change: ['"ref_protected": "true"', '"ref_protected": "false"'] },
  Kubernetes: { actor: 'k8s:ci/runner', right: 'write', change: ['"uid": "14ee3fa4', '"uid": "24ee3fa4'] },
  Keycloak: {
    actor: 'keycloak:nightly-tests',
    right: 'write',
    change: ['"sub": "0c9e8f7a', '"sub": "1c9e8f7a'],
    other: {
      actor: 'keycloak:service-account-nightly-tests',
      right: 'keep',
      change: ['"sub": "0c9e8f7a', '"groups": ["/release-managers"], "sub": "1c9e8f7a'],
    },
  },
};

describe('docs/access.md', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace();
  });
  after(() => place[Symbol.dispose]());

  test('has access files that are right and say nothing that they do not mean', () => {
    const blocks = codeIn(page, 'toml');
    // The first example, that of people in the console, and one for each recipe.
    assert.equal(blocks.length, 2 + Object.keys(recipes).length);
    for (const toml of blocks) {
      const read = readAccessFile(Buffer.from(toml));
      assert.ok('file' in read, JSON.stringify(read));
      assert.deepEqual(read.file.warnings, [], toml);
    }
  });

  for (const [name, { change, other: second, ...first }] of Object.entries(recipes))
    test(`has a recipe for ${name} that does what it says`, async () => {
      const section = page.split(/^### /m).find((text) => text.startsWith(`${name}\n`)) ?? '';
      const [[toml = ''], [claims = '']] = [codeIn(section, 'toml'), codeIn(section, 'json')];
      const changed = ([from, to]: Change): string => {
        assert.ok(claims.includes(from));
        return claims.replace(from, to);
      };
      place.write({ 'access.toml': toml, 'job.json': claims, 'other.json': changed(change) });
      const check = ['access', 'check', '--file', 'access.toml', '--claims', 'job.json'];
      const gives = async ({ actor, right }: Given): Promise<void> => {
        const { principal } = await place.json<{ principal: Explanation }>(...check);
        assert.deepEqual([principal.actor, principal.refused], [actor, null]);
        assert.ok(principal.may.some((each) => each.right === right));
      };
      await gives(first);
      if (second !== undefined) place.write({ 'job.json': changed(second.change) });
      if (second !== undefined) await gives(second);
      const other = await place.run(...check.with(-1, 'other.json'));
      assert.equal(other.code, 1);
      assert.match(other.stderr, /No grant of the issuer .* holds/);
    });

  test('has commands that make a token, which counts as the page says, and is replaced without a gap', async () => {
    const section = page.split(/^## /m).find((text) => text.startsWith('Tokens of the file\n')) ?? '';
    const lines = (codeIn(section, 'sh')[0] ?? '').trim().split('\n');
    assert.match(lines.pop() ?? '', /^ARTIFACTSTORE_API_TOKEN_FILE=token artifactstore whoami /);
    const make = async (): Promise<string> => {
      const { code, stdout, stderr } = await place.shell(`set -e\n${lines.join('\n')}`);
      assert.deepEqual([code, stderr], [0, '']);
      return `[[grants]]\ntoken_sha256 = "${stdout.slice(0, 64)}"\nactor = "nightly backup"\nrole = "reader"\nproducers = ["*"]\n`;
    };
    const old = await make();
    const path = place.path('tokens.toml');
    place.write({ 'tokens.toml': old });
    await using identity = await openIdentity({ tokens: [], accessFile: { path, pollMilliseconds: 10 } });
    const server = await openServer({ identity });
    try {
      const settings = { ARTIFACTSTORE_API_URL: server.url, ARTIFACTSTORE_API_TOKEN: '', ARTIFACTSTORE_AUTH_TOKENS: '' };
      using user = openWorkplace({ ...settings, ARTIFACTSTORE_API_TOKEN_FILE: place.path('token') });
      using another = openWorkplace({ ...settings, ARTIFACTSTORE_API_TOKEN_FILE: place.path('old') });
      const who = async (workplace: Workplace): Promise<string> => {
        const { stdout, stderr } = await workplace.run('whoami');
        return `${stdout.split('\n', 1)[0]}${/\(\w+\)/.exec(stderr)?.[0] ?? ''}`;
      };
      const known = 'nightly backup, token of the access file';
      assert.equal(await who(user), known);

      const takes = async (text: string): Promise<void> => {
        const { loaded_at } = identity.status()!;
        place.write({ 'tokens.toml': text });
        while (identity.status()!.loaded_at === loaded_at) await sleep(5);
      };
      await place.shell('cp -p token old');
      const next = await make();
      assert.equal(await who(user), '(unauthorized)');
      await takes(old + next);
      assert.deepEqual([await who(user), await who(another)], [known, known]);
      await takes(next);
      assert.deepEqual([await who(user), await who(another)], [known, '(unauthorized)']);
    } finally {
      await server.close();
    }
  });

  test('tells the codes that there are', () => {
    for (const code of ['unauthorized', 'forbidden', 'quota_exceeded', 'identity_unavailable'])
      assert.ok(page.includes(`\`${code}\` |`), code);
  });
});

function codeIn(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
}

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { ImportReport } from '../../../src/client/import/report.ts';
import { openRegistry01, type Registry01, token01 } from '../../client/import/registry-01.ts';
import { openServedWorkplace, type ServedWorkplace } from '../served-workplace.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

describe('artifactstore import', () => {
  let served: ServedWorkplace;
  let old: Registry01;
  const heard = new Set<string | undefined>();
  before(async () => {
    served = await openServedWorkplace();
    old = await openRegistry01();
    old.intercept = (request) => {
      heard.add(request.headers.authorization);
      return false;
    };
    old.seal({ name: 'first', files: { a: 'a', b: 'b' } });
  });
  after(async () => {
    await served[Symbol.asyncDispose]();
    await old.stop();
  });

  /** A folder of its own with other settings, whose commands copy to the same server. */
  function place(environment: Readonly<Record<string, string>>): Workplace {
    return openWorkplace({ ARTIFACTSTORE_API_URL: served.url, ARTIFACTSTORE_API_TOKEN: 'client-test-token', ...environment });
  }

  test('sends a source the token that is for it, and no other', async () => {
    for (const environment of [{}, { ARTIFACTSTORE_API_TOKEN: '' }] as const) {
      using without = place(environment);
      without.write({ 'var/dev-token': 'made-by-dev' });
      const { code, stdout, stderr } = await without.run('import', '--from', old.url);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(
        stderr,
        /^error: The source: .* \(unauthorized\)\nhint: set ARTIFACTSTORE_SOURCE_TOKEN or ARTIFACTSTORE_SOURCE_TOKEN_FILE/m,
      );
    }
    assert.deepEqual([...heard], [undefined]);
    using both = place({ ARTIFACTSTORE_SOURCE_TOKEN: 'a', ARTIFACTSTORE_SOURCE_TOKEN_FILE: 'b' });
    const refused = await both.run('import', '--from', old.url);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /ARTIFACTSTORE_SOURCE_TOKEN_FILE: and ARTIFACTSTORE_SOURCE_TOKEN both say/);
    // The file of a secret is read as any other is.
    using file = place({ ARTIFACTSTORE_SOURCE_TOKEN_FILE: 'token' });
    file.write({ token: `${token01}\n` });
    chmodSync(file.path('token'), 0o644);
    assert.match((await file.run('import', '--from', old.url)).stderr, /chmod/);
    chmodSync(file.path('token'), 0o600);
    assert.equal((await file.run('import', '--from', old.url)).code, 0);
    assert.deepEqual([...heard].sort(), [`Bearer ${token01}`, undefined]);
  });

  test('reports as a table and as JSON, and its exit code says what came of it', async () => {
    using own = place({ ARTIFACTSTORE_SOURCE_TOKEN: token01 });
    old.seal({ name: 'second', files: { a: 'second' } });
    const report = await own.json<ImportReport & { readonly complete: boolean }>('import', '--from', old.url);
    assert.deepEqual([report.packages.copied, report.packages.present, report.problems, report.complete], [1, 1, [], true]);
    old.seal({ name: 'of a class', files: { a: 'x' }, more: { retention_class: 'theirs' } });
    const failed = await own.run('import', '--from', old.url);
    assert.equal(failed.code, 1);
    assert.match(
      failed.stdout,
      /^copied 0 packages from http:.*: 0 files, 0 B, 0 B sent\n {2}2 there already\n {2}1 could not be copied\n/,
    );
    assert.match(
      failed.stdout,
      /PACKAGE .*DETAIL\n[-0-9a-f]{36} +of a class +old +unknown_retention_class +There is no retention class "theirs"/,
    );
    const wrong = old.seal({ name: 'wrong', files: { a: 'right' } });
    wrong.files[0]!.bytes = Buffer.from('WRONG');
    const damaged = await own.run('import', '--from', old.url, '--json');
    assert.equal(damaged.code, 5);
    const { problems } = JSON.parse(damaged.stdout) as ImportReport;
    assert.deepEqual(problems.map(({ code, relative_path }) => [code, relative_path]).sort(), [
      ['integrity_failure', 'a'],
      ['unknown_retention_class', null],
    ]);
    assert.equal((JSON.parse(damaged.stderr) as { readonly code: string }).code, 'integrity_failure');
    assert.doesNotMatch(damaged.stdout + damaged.stderr, new RegExp(token01));
  });

  test('refuses an address that is none, that has a password, and that of the registry itself', async () => {
    using own = place({ ARTIFACTSTORE_SOURCE_TOKEN: 'client-test-token' });
    for (const [from, told] of [
      ['old.example.org', /is not an http:\/\/ or https:\/\/ address/],
      ['http://user:secret-word@old.example.org', /without a user and a password/],
      [served.url, /--from: .* is the registry that is to be copied to/],
      [`${served.url}/`, /is the registry that is to be copied to/],
    ] as const) {
      const { code, stderr } = await own.run('import', '--from', from);
      assert.equal(code, 2, from);
      assert.match(stderr, told);
      assert.doesNotMatch(stderr, /secret-word/);
    }
    await served.registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    assert.equal((await own.run('import', '--from', 'http://127.0.0.1:1')).code, 6);
    assert.equal((await own.run('import')).code, 2);
  });

  test('keeps a mirror until it is stopped, and then ends well', async () => {
    using own = place({ ARTIFACTSTORE_SOURCE_TOKEN: token01 });
    const child = own.start('import', '--from', old.url, '--follow', '--producer', 'old', '--json');
    const lines: string[] = [];
    child.stdout!.on('data', (chunk: Uint8Array) => void lines.push(chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await until(() => lines.join('').includes('"packages"'));
    const sealed = old.seal({ name: 'sealed meanwhile', files: { a: 'meanwhile' } });
    const told = () => lines.join('').split('\n').slice(0, -1);
    const ofSealed = () => told().find((line) => line.includes(sealed.id));
    await until(() => ofSealed() !== undefined);
    assert.equal((JSON.parse(ofSealed()!) as { readonly state: string }).state, 'copied');
    child.kill('SIGINT');
    assert.equal(await ended, 0);
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1200 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(holds());
}

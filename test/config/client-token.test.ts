import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { type Config, readConfig } from '../../src/config/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'client-token-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const dotEnv = (...lines: readonly string[]): void => writeFileSync(join(directory, '.env'), lines.join('\n'));
beforeEach(() => dotEnv());

function read(environment: Readonly<Record<string, string>>): Config {
  return readConfig(environment, { directory });
}

describe('where the token of the commands comes from', () => {
  test('is a token, a file, or what a platform gives to a job', () => {
    const of = ({ apiToken, apiTokenFile, apiIdentity }: Config): unknown => [apiToken, apiTokenFile, apiIdentity];
    assert.deepEqual(of(read({ ARTIFACTSTORE_API_TOKEN: ' t ' })), ['t', undefined, undefined]);
    assert.deepEqual(of(read({ ARTIFACTSTORE_API_TOKEN_FILE: 'token' })), [undefined, join(directory, 'token'), undefined]);
    const github = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'r' };
    assert.deepEqual(read({ ARTIFACTSTORE_IDENTITY: 'GitHub-Actions', ...github }).apiIdentity, {
      platform: 'github-actions',
      audience: undefined,
      requestUrl: 'https://x',
      requestToken: 'r',
    });
    const gitlab = { ARTIFACTSTORE_IDENTITY: 'gitlab-ci', ARTIFACTSTORE_IDENTITY_AUDIENCE: 'a', ARTIFACTSTORE_ID_TOKEN: 'one' };
    assert.deepEqual(read(gitlab).apiIdentity, { platform: 'gitlab-ci', audience: 'a', variable: 'ARTIFACTSTORE_ID_TOKEN', token: 'one' });
    const other = { ...gitlab, ARTIFACTSTORE_IDENTITY_TOKEN_VARIABLE: 'ARTIFACTSTORE_OTHER', ARTIFACTSTORE_OTHER: 'two' };
    assert.deepEqual(read(other).apiIdentity, { platform: 'gitlab-ci', audience: 'a', variable: 'ARTIFACTSTORE_OTHER', token: 'two' });
    // Only with the setting that asks for it.
    assert.deepEqual(of(read({ ...github, ARTIFACTSTORE_ID_TOKEN: 'one' })), [undefined, undefined, undefined]);
  });

  test('is said once: two that are set in one place are refused, and both are named', () => {
    const all = { ARTIFACTSTORE_API_TOKEN: 'hush', ARTIFACTSTORE_API_TOKEN_FILE: 'f', ARTIFACTSTORE_IDENTITY: 'gitlab-ci' };
    const names = Object.keys(all) as (keyof typeof all)[];
    for (const [first, second] of [
      [names[0]!, names[1]!],
      [names[0]!, names[2]!],
      [names[1]!, names[2]!],
    ] as const) {
      const told = new RegExp(`${second}: and ${first} both say where the token comes from: set one of them`);
      assert.throws(() => read({ [first]: all[first], [second]: all[second] }), told);
      dotEnv(`${first}=${all[first]}`, `${second}=${all[second]}`);
      assert.throws(() => read({}), new RegExp(`${told.source} \\(in \\.env\\)`));
      dotEnv(`${first}=${all[first]}`);
      // The environment overrides .env, whatever kind it names.
      assert.deepEqual(read({ [second]: all[second] }).apiFromDotEnv, { url: false, token: false });
      assert.equal(read({ [second]: all[second] }).apiToken, undefined);
    }
  });

  test('of a platform is what the environment says, never what a file of the directory says', () => {
    dotEnv(
      'ARTIFACTSTORE_IDENTITY=github-actions',
      'ACTIONS_ID_TOKEN_REQUEST_URL=https://elsewhere',
      'ACTIONS_ID_TOKEN_REQUEST_TOKEN=x',
      'ARTIFACTSTORE_ID_TOKEN=x',
    );
    const { apiIdentity, apiFromDotEnv } = read({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'r' });
    assert.deepEqual(apiIdentity, { platform: 'github-actions', audience: undefined, requestUrl: undefined, requestToken: 'r' });
    assert.equal(apiFromDotEnv.token, true);
    const gitlab = read({ ARTIFACTSTORE_IDENTITY: 'gitlab-ci' }).apiIdentity;
    assert.equal(gitlab?.platform === 'gitlab-ci' && gitlab.token, undefined);
  });

  test('is refused where it is nothing that can be, and never shown', () => {
    assert.throws(() => read({ ARTIFACTSTORE_IDENTITY: 'jenkins' }), /"jenkins" is not one of github-actions, gitlab-ci/);
    const token = { ARTIFACTSTORE_IDENTITY: 'gitlab-ci', ARTIFACTSTORE_IDENTITY_TOKEN_VARIABLE: 'ey.secret.x' };
    assert.throws(
      () => read(token),
      (error: Error) => /must be the name of a variable/.test(error.message) && !/ey\./.test(error.message),
    );
    for (const [text, why] of [
      ['hush hush', /ARTIFACTSTORE_API_TOKEN: is not a token: one word of plain ASCII characters/],
      ['h\u00fcsh', /is not a token/],
      [' \t ', /ARTIFACTSTORE_API_TOKEN: is only white space/],
    ] as const)
      assert.throws(
        () => read({ ARTIFACTSTORE_API_TOKEN: text }),
        (error: Error) => why.test(error.message) && !/h[u\u00fc]sh/.test(error.message),
      );
    const shown = read({ ARTIFACTSTORE_ID_TOKEN: 'hush', ARTIFACTSTORE_IDENTITY: 'gitlab-ci' }).describe();
    assert.equal(shown.ARTIFACTSTORE_ID_TOKEN, '(secret)');
    assert.doesNotMatch(JSON.stringify(shown), /hush/);
  });
});

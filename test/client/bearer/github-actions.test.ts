import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { tokenFromGitHubActions } from '../../../src/client/bearer/github-actions.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { unverifiedClaims } from '../../../src/protocol/jwt-claims.ts';
import { type JobPlatform, openJobPlatform } from '../../deploy/job-platform.ts';

const audience = 'https://artifacts.example.org/a b&c';

describe('the id token of a job of GitHub', () => {
  let platform: JobPlatform;
  let requestUrl: string;
  let requestToken: string;
  before(async () => {
    platform = await openJobPlatform();
    ({ ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken } = platform.variables);
  });
  after(() => platform[Symbol.asyncDispose]());

  const failure = async (job: Partial<Parameters<typeof tokenFromGitHubActions>[0]> = {}): Promise<ArtifactstoreError> => {
    try {
      await tokenFromGitHubActions({ requestUrl, requestToken, audience, ...job }).take();
    } catch (error) {
      assert.ok(error instanceof ArtifactstoreError);
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error.info)} ${String(error.cause)}`, new RegExp(requestToken));
      return error;
    }
    throw new Error('it gave a token');
  };

  test('is asked for with exactly the audience, a new one each time', async () => {
    const source = tokenFromGitHubActions({ requestUrl, requestToken, audience });
    const [first, second] = [await source.take(), await source.take()];
    assert.equal(unverifiedClaims(first)?.aud, audience);
    assert.notEqual(unverifiedClaims(first)?.jti, unverifiedClaims(second)?.jti);
    assert.deepEqual(platform.asked, [audience, audience]);
  });

  test('is not there outside of a job that may have one: the error says what the job needs', async () => {
    for (const [job, name] of [
      [{ requestUrl: undefined }, 'ACTIONS_ID_TOKEN_REQUEST_URL'],
      [{ requestToken: '' }, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'],
    ] as const) {
      const error = await failure(job);
      assert.deepEqual([error.code, error.field], ['invalid_configuration', name]);
      assert.match(String(error.info?.hint), /id-token: write/);
    }
  });

  test('is asked for over https, and over http only on this machine', async () => {
    for (const url of ['http://example.org/?a=b', 'http://127.0.0.1.example.org/?a', 'ftp://localhost/', 'nothing'])
      assert.match((await failure({ requestUrl: url })).message, /ACTIONS_ID_TOKEN_REQUEST_URL is not an https:\/\/ address\./, url);
  });

  test('that is refused, or is none, is named, and asked for again only where that can help', async () => {
    for (const [status, body, lasting, told] of [
      [503, 'busy', undefined, /GitHub Actions answered 503 at http:\/\/127\.0\.0\.1:\d+, and gave no id token\./],
      [429, '', undefined, /answered 429/],
      [400, '{"secret":1}', true, /answered 400/],
      [302, '', true, /answered 302/],
      [200, '<title>Log in\u0007</title>', true, /answered at .* without an id token \("Log in"\)\./],
      [200, '{"value":"not-a-token"}', true, /without an id token\.$/],
      [200, `{"value":"${'x'.repeat(200_000)}"}`, true, /without an id token\.$/],
    ] as const) {
      platform.failures.push([status, body]);
      const error = await failure();
      assert.deepEqual(
        [error.code, error.info?.lasting, error.info?.sent, error.info?.status],
        ['identity_unavailable', lasting, false, status],
      );
      assert.match(error.message, told);
      assert.doesNotMatch(error.message, /secret|not-a-token/);
    }
    assert.match(String((await failure({ requestToken: 'ended' })).info?.hint), /while the job runs/);
  });

  test('is looked for in so much of an answer, and no more', async () => {
    const endless: Server = createServer((_request, response) => {
      const more = (): unknown => response.write('x'.repeat(65_536)) && setImmediate(more);
      response.on('drain', more);
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const error = await failure({
      requestUrl: `http://127.0.0.1:${(endless.address() as AddressInfo).port}/?x=y`,
      answerMilliseconds: 2000,
    });
    assert.match(error.message, /answered at .* without an id token \("x+"\)\.$/);
    endless.closeAllConnections();
    await new Promise((resolve) => endless.close(resolve));
  });

  test('is waited for as long as the time-out says, and a platform that is not there is named', async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/?x=y`;
    assert.match(
      (await failure({ requestUrl: silentUrl, answerMilliseconds: 100 })).message,
      /can't be asked at .*: it did not answer in time\./,
    );
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    const gone = await failure({ requestUrl: silentUrl });
    assert.match(gone.message, /nothing listens there\./);
    assert.ok(isArtifactstoreError(gone, 'identity_unavailable') && gone.info?.lasting === undefined);
  });
});

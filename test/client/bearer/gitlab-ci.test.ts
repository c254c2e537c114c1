import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tokenFromGitLabJob } from '../../../src/client/bearer/gitlab-ci.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const variable = 'ARTIFACTSTORE_ID_TOKEN';
const tokenOf = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`;

describe('the id token of a job of GitLab', () => {
  test('is what the variable holds', async () => {
    const token = tokenOf({ aud: 'https://a.example.org' });
    assert.equal(await tokenFromGitLabJob({ variable, token }).take(), token);
    assert.equal(await tokenFromGitLabJob({ variable, token, audience: 'https://a.example.org' }).take(), token);
    const listed = tokenOf({ aud: ['https://a.example.org'] });
    assert.equal(await tokenFromGitLabJob({ variable, token: listed, audience: 'https://a.example.org' }).take(), listed);
  });

  test('is refused with what the job needs where it is not there, is another secret, or is for somebody else', async () => {
    for (const [token, told] of [
      [undefined, /There is no id token: the variable ARTIFACTSTORE_ID_TOKEN is not set\./],
      ['', /There is no id token: the variable ARTIFACTSTORE_ID_TOKEN is not set\./],
      ['glpat-secret', /What ARTIFACTSTORE_ID_TOKEN holds is not an id token\./],
      [tokenOf({ aud: 'https://vault' }), /is for "https:\/\/vault", and "https:\/\/a" was asked for\./],
      [tokenOf({ aud: ['https://a', 'https://b'] }), /is for \["https:\/\/a","https:\/\/b"\], and/],
      [tokenOf({}), /is for null, and/],
    ] as const)
      await assert.rejects(tokenFromGitLabJob({ variable, token, audience: 'https://a' }).take(), (error) => {
        assert.ok(isArtifactstoreError(error, 'invalid_configuration'));
        assert.match(error.message, told);
        assert.match(String(error.info?.hint), /id_tokens: \{ ARTIFACTSTORE_ID_TOKEN: \{ aud: https:\/\/a \} \}/);
        assert.doesNotMatch(error.message, /secret|c2lnbmF0dXJl/);
        return true;
      });
  });

  test('says beside a refusal that it ended and no other comes, or whose it is', () => {
    const { hint } = tokenFromGitLabJob({ variable, token: undefined });
    assert.match(hint?.(tokenOf({ exp: 1_000_000_000 })) ?? '', /ended at 2001-09-09T01:46:40\.000Z, and GitLab gives a job no other/);
    assert.match(hint?.(tokenOf({ iss: 'https://gitlab.com', aud: 'x' })) ?? '', /\(issuer "https:\/\/gitlab.com", audience "x"\)/);
  });
});

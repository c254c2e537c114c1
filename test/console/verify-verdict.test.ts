import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verdictOf } from '../../console/parts/verify-verdict.ts';
import type { Finding } from '../../console/workers/proof.ts';

const good: Finding = { result: 'good', because: 'bytes_match' };
const manifestAlone: Finding = { result: 'good', because: 'manifest_alone' };
const notSealed: Finding = { result: 'unknown', because: 'not_sealed' };
const notReached: Finding = { result: 'unknown', because: 'not_reached' };
const notGiven: Finding = { result: 'bad', because: 'not_given' };
const bad: Finding = { result: 'bad', because: 'sha256_differs' };

test('one bad finding is enough, and unknown is told as neither good nor bad', () => {
  for (const [findings, tone, words] of [
    [[good, good, good], 'good', /^It is what was sealed$/],
    [[manifestAlone, good], 'good', /^The manifest is what was sealed; no file was read$/],
    [[manifestAlone, notReached], 'plain', /^Not everything/],
    [[good, notSealed, notSealed], 'plain', /^It is what was stored; its package is not sealed/],
    [[notReached, notSealed, notSealed], 'plain', /^Not everything could be verified$/],
    [[notSealed, notSealed], 'plain', /^Not everything/],
    [[good, good, notReached], 'plain', /^Not everything/],
    [[notGiven, good, good], 'bad', /^Its bytes are damaged or missing$/],
    [[notGiven, bad, good], 'bad', /^It is not what was sealed$/],
    [[bad, notReached, good], 'bad', /^It is not what was sealed$/],
    [[bad, notSealed, notSealed], 'bad', /^It is not what was stored$/],
  ] as const) {
    const verdict = verdictOf(findings);
    assert.equal(verdict.tone, tone);
    assert.match(verdict.title, words);
  }
});

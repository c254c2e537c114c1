import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShares, shareOfAddress } from '../../src/http/shares.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';

test('one principal has its share, another its own, and a share is given back once', () => {
  const shares = createShares({ requestsOfOne: 2, streamsOfOne: 1 });
  const leave = shares.enter('requests_of_one', 'a');
  shares.enter('requests_of_one', 'a');
  const refused = (): boolean => {
    try {
      shares.enter('requests_of_one', 'a')();
      return false;
    } catch (error) {
      assert.ok(isArtifactstoreError(error, 'too_busy'));
      assert.deepEqual(error.info, { bound: 'requests_of_one', limit: 2, variable: 'ARTIFACTSTORE_MAX_REQUESTS_PER_CALLER' });
      return true;
    }
  };
  assert.ok(refused());
  shares.enter('streams_of_one', 'a');
  shares.enter('requests_of_one', 'b');
  leave();
  leave();
  shares.enter('requests_of_one', 'a');
  assert.ok(refused());
});

test('0 is any number', () => {
  const shares = createShares({ requestsOfOne: 0, streamsOfOne: 0 });
  for (let count = 0; count < 1_000; count += 1) shares.enter('requests_of_one', 'a');
});

test('those without a token are told apart by address, and an IPv6 network is one', () => {
  const of = shareOfAddress;
  assert.equal(of('::ffff:192.0.2.7'), of('192.0.2.7'));
  assert.notEqual(of('192.0.2.7'), of('192.0.2.8'));
  assert.equal(of('2001:db8:1:2:3:4:5:6'), of('2001:db8:1:2::9'));
  assert.notEqual(of('2001:db8:1:2::9'), of('2001:db8:1:3::9'));
  assert.equal(of('::1'), of('0:0:0:0:0:0:0:1'));
  assert.equal(of('fe80::1%eth0'), of('fe80::2'));
});

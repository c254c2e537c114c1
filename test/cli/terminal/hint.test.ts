import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hintFor } from '../../../src/cli/terminal/hint.ts';
import { ArtifactstoreError } from '../../../src/kernel/error.ts';

test('a right that is missing is told with the role that has it, and that a package may only be out of sight', () => {
  const refused = (info?: Readonly<Record<string, unknown>>): string =>
    hintFor(new ArtifactstoreError('forbidden', 'no', info === undefined ? {} : { info })) ?? '';
  for (const [right, role] of [
    ['write', /^the role writer has it.*artifactstore whoami/],
    ['keep', /^the role keeper has it/],
    ['administer', /^the role admin has it/],
    ['something newer', /^`artifactstore whoami`.*access check/],
  ] as const)
    assert.match(refused({ right }), role);
  assert.match(refused(), /^`artifactstore whoami`/);
  assert.match(hintFor(new ArtifactstoreError('package_not_found', 'no')) ?? '', /may not read.*artifactstore whoami/);
  assert.equal(refused({ right: 'observe', hint: 'its own' }), 'its own');
});

test('a full disk is told as the one of this machine where no server has answered', () => {
  const full = (info: Readonly<Record<string, unknown>>) => hintFor(new ArtifactstoreError('storage_full', 'no room', { info }));
  assert.match(full({}) ?? '', /^make room there and run the command again/);
  assert.match(full({ status: 507 }) ?? '', /^the server is out of room/);
});

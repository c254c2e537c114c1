import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openProvider } from '../../src/provider/open.ts';
import { withoutPatience } from './without-patience.ts';

function open(providerUrl: string | undefined, endpointUrl: string | undefined): void {
  const patience = withoutPatience();
  openProvider('static', {
    account: 'a',
    providerUrl,
    endpointUrl,
    region: undefined,
    patience,
    limitMilliseconds: 0,
    wait: async () => undefined,
  });
}

test('an address is https, or http to this machine, and is refused by the name of its option', () => {
  for (const url of ['https://objects.example', 'http://127.0.0.1:9000', 'http://localhost:9000']) open(url, url);
  for (const [url, said] of [
    ['http://objects.example', /http is for this machine alone: use https\.$/],
    ['objects.example', /is not an http/],
    ['', /is not an http/],
    ['https://user:hush@objects.example', /no user, password/],
  ] as const)
    for (const [field, address] of [
      ['--provider-url', [url, 'https://objects.example']],
      ['--endpoint', ['https://provider.example', url]],
    ] as const)
      assert.throws(
        () => open(address[0], address[1]),
        (error) => {
          assert.ok(isArtifactstoreError(error, 'invalid_configuration'), String(error));
          assert.equal(error.field, field);
          assert.match(error.message, said);
          return error.message.startsWith(`${field}: `) && !error.message.includes('hush');
        },
      );
  assert.throws(
    () => open('https://provider.example', undefined),
    (error) => isArtifactstoreError(error, 'authority_unusable') && error.info?.hint === 'give it with --endpoint',
  );
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLoopback, loopbackOf, requireLoopback } from '../../src/serve/loopback.ts';

describe('a server for this machine alone', () => {
  test('listens on addresses of this machine', async () => {
    for (const [host, address] of [
      ['127.0.0.1', '127.0.0.1'],
      ['127.8.9.10', '127.8.9.10'],
      ['::1', '::1'],
      ['[::1]', '::1'],
      ['LocalHost', 'localhost'],
    ] as const)
      assert.equal(await loopbackOf(host), address);
  });

  const others = [
    '0.0.0.0',
    '::',
    '[::]',
    '192.0.2.1',
    '10.0.0.1',
    '2001:db8::1',
    'fe80::1',
    '::ffff:0.0.0.0',
    '0',
    '0x0',
    '128.0.0.1',
    '169.254.1.1',
  ];
  for (const host of others)
    test(`refuses ${host}`, async () => {
      await assert.rejects(loopbackOf(host), { code: 'invalid_configuration', field: '--host' });
    });

  test('refuses names that lead elsewhere or nowhere', async () => {
    await assert.rejects(loopbackOf('no-such-host.invalid'), { code: 'invalid_configuration', field: '--host' });
    await assert.rejects(loopbackOf(''), { code: 'invalid_configuration' });
  });

  test('looks at what it was bound to, whatever was asked for', () => {
    for (const url of ['http://127.0.0.1:7380', 'http://[::1]:7380']) requireLoopback(url);
    for (const url of ['http://0.0.0.0:7380', 'http://[::]:7380', 'http://192.0.2.1:7380'])
      assert.throws(() => requireLoopback(url), { code: 'invalid_configuration' });
    assert.equal(isLoopback('localhost'), false);
    assert.equal(isLoopback('::ffff:127.0.0.1'), true);
  });
});

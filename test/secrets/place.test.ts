import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSecretsPlace } from '../../src/secrets/place.ts';

test('where secrets are is the environment, a directory, or a mount of a vault', () => {
  assert.deepEqual(parseSecretsPlace('env'), { kind: 'environment' });
  assert.deepEqual(parseSecretsPlace('file:/run/secrets/'), { kind: 'directory', path: '/run/secrets' });
  assert.deepEqual(parseSecretsPlace('vault:https://vault.example:8200/kv/team/one/'), {
    kind: 'vault',
    address: 'https://vault.example:8200',
    mount: 'kv',
    path: 'team/one',
  });
  assert.deepEqual(parseSecretsPlace('vault:http://127.0.0.1:8200/kv'), {
    kind: 'vault',
    address: 'http://127.0.0.1:8200',
    mount: 'kv',
    path: '',
  });
});

test('everything else is refused with what it should be', () => {
  for (const [text, told] of [
    ['', /must be env, file:/],
    ['https://vault.example/kv', /must be env, file:/],
    ['file:relative', /absolute path/],
    ['file:/run/one\nwarning: two', /without line breaks/],
    ['file:/run/\u001b[2J', /without line breaks/],
    ['vault:http://vault.example/kv', /http is for this machine alone/],
    ['vault:https://vault.example', /needs the mount/],
    ['vault:https://vault.example/kv/../x%2fy', /needs the mount/],
    ['vault:https://user:hush@vault.example/kv', /no user, password/],
    ['vault:nonsense', /is not an http/],
  ] as const)
    assert.throws(() => parseSecretsPlace(text), told, text);
});

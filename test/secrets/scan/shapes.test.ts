import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeftOut, secretShapes } from '../../../src/secrets/scan/shapes.ts';

function shapesOf(text: string): readonly string[] {
  return secretShapes
    .filter(({ pattern }) => [...text.matchAll(pattern)].some((match) => !isLeftOut(match[1] ?? '')))
    .map(({ name }) => name);
}

test('knows the forms of secrets', () => {
  for (const [text, name] of [
    ['connect to postgres://me:hunter2@db/x', 'password in an address'],
    ['S3_SECRET_ACCESS_KEY=abcdefgh12', 'value of a secret setting'],
    ['"DB_PASSWORD": "abcdefgh12"', 'value of a secret setting'],
    ['-----BEGIN EC PRIVATE KEY-----', 'private key'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0x.c2lnbmF0dXJl', 'JSON Web Token'],
    ['Authorization: Bearer abcdefgh12345', 'bearer token'],
    ['AKIAIOSFODNN7EXAMPLE', 'access key of AWS'],
    ['hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZDrabYTobQ4Ymnlq1qY-h', 'token of Vault or OpenBao'],
    ['cosmo_0123456789abcdef0123', 'API key of Cosmo'],
  ] as const)
    assert.ok(shapesOf(text).includes(name), text);
});

test('takes nothing that stands for a secret, or says where one is, for one', () => {
  for (const text of [
    'postgres://me:***@db/x',
    'postgresql://me:(secret)@db/x',
    'S3_SECRET_ACCESS_KEY=<redacted>',
    'DB_PASSWORD=$DB_PASSWORD',
    `DB_PASSWORD=$${'{DB_PASSWORD}'}`,
    'ARTIFACTSTORE_S3_SECRET_KEY_REF=env:STORE_SECRET',
    'ARTIFACTSTORE_API_TOKEN_FILE=/run/secrets/token',
    'Authorization: Bearer [hidden]',
    'http://store:9000/a@b',
    'the password is not shown',
  ])
    assert.deepEqual(shapesOf(text), [], text);
});

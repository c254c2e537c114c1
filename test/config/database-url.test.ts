import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDatabaseUrl } from '../../src/config/database-url.ts';
import { parsePostgresUrl, placeOf, tlsOptions } from '../../src/database/postgres/address.ts';

const read = (text: string) => {
  const target = parseDatabaseUrl(text, '/etc/artifactstore');
  assert.equal(target.kind, 'postgresql');
  return parsePostgresUrl((target as { readonly url: string }).url);
};

test('a parameter that is not known, or has a value that is not, is refused', () => {
  for (const [search, message] of [
    ['sslmod=require', /parameter "sslmod", which is not known; did you mean "sslmode"\?/],
    ['SSLMODE=require', /"SSLMODE"/],
    ['sslmode=requierd', /sslmode=requierd, which is not one of disable, prefer, require, verify-ca, verify-full/],
    ['ssl=maybe', /sslmode=maybe/],
    ['sslmode=verify-ca', /verify-ca without sslrootcert/],
    ['connect_timeout=soon', /connect_timeout=soon/],
    ['target_session_attrs=any', /target_session_attrs=any/],
    ['nothing=like', /parameter "nothing", which is not known \(sslmode, /],
  ] as const)
    assert.throws(() => read(`postgresql://u:p@h/db?${search}`), message);
  assert.throws(() => read('postgresql://u:p@one,two/db'), /several hosts/);
});

test('a password that is not percent-encoded is refused, and no part of it is shown', () => {
  for (const password of [
    'pa/SECRET',
    '12/SECRET',
    '12?SECRET',
    '12/ab?SECRET',
    '12/ab?SECRET=1&SECRET',
    '12/ab#SECRET',
    '12#SECRET',
    'p%SECRET',
  ])
    assert.throws(
      () => read(`postgresql://u:${password}@h/db`),
      (error: Error) => /is written %40/.test(error.message) && !/SECRET/.test(error.message),
      password,
    );
  assert.equal(read('postgresql://h:5432/db?user=u@server').user, 'u@server');
});

test('sslmode means what it means to libpq', () => {
  const mode = (search: string) => read(`postgresql://u:p@h/db${search}`).sslMode;
  assert.equal(mode(''), 'prefer');
  assert.equal(mode('?sslmode=disable'), 'disable');
  assert.equal(mode('?ssl=true'), 'require');
  assert.equal(mode('?sslmode=no-verify'), 'require');
  assert.equal(mode('?sslmode=require&sslrootcert=ca.pem'), 'verify-ca');
  assert.equal(read('postgresql://u@h/db?sslmode=verify-ca&sslrootcert=ca.pem').rootCertificate, '/etc/artifactstore/ca.pem');
  assert.equal(tlsOptions(read('postgresql://u@h/db')).rejectUnauthorized, false);
  const checked = tlsOptions(read('postgresql://u@h/db?sslmode=verify-full'));
  assert.ok(checked.rejectUnauthorized && checked.checkServerIdentity === undefined && (checked.ca?.length ?? 0) > 10);
});

test('a server is named by a host, an address or a socket, with everything that a URL can hold', () => {
  for (const [text, place] of [
    ['postgresql://u:p@h/db', 'h:5432'],
    ['postgres://u:p@[::1]:6000/db', '[::1]:6000'],
    ['postgresql+asyncpg://u:p@h:6000/db', 'h:6000'],
    ['postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/db', '/var/run/postgresql/.s.PGSQL.5432'],
    ['postgresql://u:p@/db?host=/var/run/postgresql&port=6000', '/var/run/postgresql/.s.PGSQL.6000'],
    ['postgresql:///db?host=/tmp&user=u&password=p', '/tmp/.s.PGSQL.5432'],
  ] as const) {
    const address = read(text);
    assert.equal(placeOf(address), place);
    assert.deepEqual([address.user, address.password, address.database], ['u', 'p', 'db'], text);
    if (place.startsWith('/')) assert.equal(address.sslMode, 'disable');
  }
  const { user, password, database } = read('postgresql://a%40b:p%2Fw%3F@h/d%20b');
  assert.deepEqual([user, password, database], ['a@b', 'p/w?', 'd b']);
});

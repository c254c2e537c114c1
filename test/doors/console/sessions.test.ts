import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clearCookie, cookieName, cookiesOf, readBegun, setCookie, writeBegun } from '../../../src/doors/console/cookies.ts';
import { consolePlace } from '../../../src/doors/console/place.ts';
import { createSessions } from '../../../src/doors/console/sessions.ts';
import type { Identified } from '../../../src/identity/IDENTITY.ts';

const of = (share: string, expiresAt: number | null = null): Identified => ({
  principal: { actor: share, share, grants: [] },
  by: 'issuer people',
  expiresAt,
});

test('a session ends with its token, and at the latest after a working day', () => {
  let now = 1_000;
  const sessions = createSessions({ all: 10, ofOne: 2 }, () => now);
  const short = sessions.begin('t', of('a', 5_000)).secret;
  const long = sessions.begin('t', of('b', null)).secret;
  assert.equal(sessions.find(short)?.token, 't');
  now = 5_000;
  assert.equal(sessions.find(short), undefined);
  assert.ok(sessions.find(long) !== undefined);
  now = 1_000 + 43_200_000;
  assert.equal(sessions.find(long), undefined);
});

test('one whose token ended while somebody signed in is refused, and takes no place; its cookie lives as long as it', () => {
  const sessions = createSessions({ all: 1, ofOne: 1 }, () => 5_000);
  const kept = sessions.begin('t', of('a', 5_001));
  assert.equal(kept.seconds, 1);
  for (const expiresAt of [5_000, 4_999]) assert.throws(() => sessions.begin('t', of('a', expiresAt)), { code: 'unauthorized' });
  assert.ok(sessions.find(kept.secret) !== undefined);
  assert.equal(sessions.begin('t', of('a', null)).seconds, 43_200);
});

test('of one person the oldest goes, and beyond all nobody is let in until one has ended', () => {
  let now = 0;
  const sessions = createSessions({ all: 3, ofOne: 2 }, () => now);
  const own = [1, 2, 3].map(() => sessions.begin('t', of('a', 100)).secret);
  assert.deepEqual(
    own.map((each) => sessions.find(each) !== undefined),
    [false, true, true],
  );
  sessions.begin('t', of('b', 100));
  assert.throws(() => sessions.begin('t', of('c', 100)), { code: 'too_busy', info: { bound: 'console_sessions', limit: 3 } });
  // In one's own place there is room all the same.
  sessions.begin('t', of('a', 100));
  now = 100;
  sessions.begin('t', of('c', 200));
});

test('no two secrets are the same, and one that was made up leads nowhere', () => {
  const sessions = createSessions({ all: 3, ofOne: 3 }, () => 0);
  const [one, two] = [sessions.begin('t', of('a')), sessions.begin('t', of('a'))].map(({ secret }) => secret) as [string, string];
  assert.notEqual(one, two);
  assert.notEqual(sessions.find(one)!.csrfToken, sessions.find(two)!.csrfToken);
  for (const secret of ['', 'x', `${one}x`, one.slice(1)]) assert.equal(sessions.find(secret), undefined);
  sessions.end(one);
  assert.deepEqual([sessions.find(one), sessions.find(two) !== undefined], [undefined, true]);
});

test('cookies are of this host alone, never without TLS, and of two with one name none counts', () => {
  const url = 'https://example.org/artifacts/';
  const name = cookieName(url, 'session', 'v');
  assert.match(name, /^__Host-artifactstore-session-[0-9a-f]{8}-[0-9a-f]{8}$/);
  assert.notEqual(name, cookieName('https://example.org/', 'session', 'v'));
  for (const kind of ['session', 'sign-in'] as const) {
    const line = setCookie('https://example.org/', kind, 'v', 9);
    for (const part of ['__Host-', '; Path=/;', '; Secure;', '; HttpOnly;', '; SameSite=']) assert.ok(line.includes(part), line);
    assert.ok(!/domain/i.test(line));
  }
  const of = (cookie?: string) => cookiesOf(cookie === undefined ? {} : { cookie }, url, 'session');
  assert.deepEqual(of(`a=b; ${name}=v `), ['v']);
  for (const cookie of ['', `${name}=`, `${name}=v; ${name}=w`, `${name}=v; ${name}=v`, `x${name}=v`, name, undefined])
    assert.deepEqual(of(cookie), [], cookie);
});

test('a cookie is called after its value, so that no answer deletes another one', () => {
  const url = 'https://example.org/';
  const [one, two] = ['one', 'two'].map((value) => setCookie(url, 'session', value, 9).split(';')[0]!) as [string, string];
  assert.equal(clearCookie(url, 'session', 'one').split('=')[0], one.split('=')[0]);
  assert.notEqual(clearCookie(url, 'session', 'one').split('=')[0], two.split('=')[0]);
  assert.deepEqual(cookiesOf({ cookie: `${one}; ${two}` }, url, 'session'), ['one', 'two']);
  // What has the name of another value was not set here.
  assert.deepEqual(cookiesOf({ cookie: `${one.split('=')[0]}=two` }, url, 'session'), []);
});

test('what a browser kept of a sign-in counts for ten minutes, and nothing else does', () => {
  const begun = { issuer: 'i', state: 's', nonce: 'n', verifier: 'v', to: 'packages', at: 1_000 };
  const value = writeBegun(begun);
  assert.deepEqual(readBegun(value, 2_000, 600_000), begun);
  assert.equal(readBegun(value, 601_001, 600_000), undefined);
  assert.equal(readBegun(value, 999, 600_000), undefined);
  for (const other of ['null', '{"state":1}', '[]', 'x'])
    assert.equal(readBegun(Buffer.from(other).toString('base64url'), 2_000, 600_000), undefined);
  assert.equal(readBegun(undefined, 2_000, 600_000), undefined);
});

test('a place of the console stays in it', () => {
  for (const place of ['', 'packages', 'packages/a/files/b%2Fc?x=y#z', 'search?q=%2F%2Fevil']) assert.equal(consolePlace(place), place);
  const others = ['/', '//evil', 'https://evil', '\\\\evil', '../x', 'a/../../x', 'javascript:1', 'sign-in/out', './/evil', 'a\nb'];
  for (const place of [null, ...others, 'a'.repeat(1_025)]) assert.equal(consolePlace(place), '', String(place));
});

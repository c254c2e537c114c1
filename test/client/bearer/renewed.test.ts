import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BearerSource } from '../../../src/client/bearer/BEARER.ts';
import { renewedBearer } from '../../../src/client/bearer/renewed.ts';
import { sourceOf } from '../../../src/client/bearer/token.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';

const tokenOf = (claims: object, salt = ''): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s${salt}`;

/** A source that gives these in turn, the last one again and again, and counts. */
function turns(...tokens: readonly (string | Error)[]): BearerSource & { count: number } {
  const source = {
    count: 0,
    async take() {
      const next = tokens[Math.min(source.count, tokens.length - 1)]!;
      source.count += 1;
      await new Promise(setImmediate);
      if (next instanceof Error) throw next;
      return next;
    },
  };
  return source;
}

describe('a bearer that is renewed', () => {
  test('is taken once for all who ask, and kept where it does not say when it ends', async () => {
    const source = turns('a', 'b');
    const bearer = renewedBearer(source, () => 0);
    assert.deepEqual(await Promise.all([bearer.token(), bearer.token(), bearer.token()]), ['a', 'a', 'a']);
    assert.equal(await bearer.token(), 'a');
    assert.equal(source.count, 1);
  });

  test('is replaced once for all whose token was refused', async () => {
    const source = turns('a', 'b', 'c');
    const bearer = renewedBearer(source, () => 0);
    await bearer.token();
    assert.deepEqual(await Promise.all([bearer.another('a'), bearer.another('a'), bearer.another('a')]), ['b', 'b', 'b']);
    // Who comes later with the same refusal is given what is there.
    assert.equal(await bearer.another('a'), 'b');
    assert.equal(await bearer.token(), 'b');
    assert.equal(source.count, 2);
  });

  test('has no other where the source gives the same again, and asks anew for the next request', async () => {
    const source = turns('a', 'a', 'b');
    const bearer = renewedBearer(source, () => 0);
    await bearer.token();
    assert.equal(await bearer.another('a'), undefined);
    assert.equal(await bearer.token(), 'b');
  });

  test('is renewed ahead of its end, at most once a second, and used until then where no other can be had', async () => {
    let now = 0;
    const gone = new ArtifactstoreError('identity_unavailable', 'Gone.');
    const [first, second] = [tokenOf({ iat: 0, exp: 100 }), tokenOf({ iat: 90, exp: 190 })];
    const source = turns(first, gone, gone, second);
    const bearer = renewedBearer(source, () => now);
    const at = async (seconds: number): Promise<string> => {
      now = seconds * 1000;
      return await bearer.token();
    };
    assert.deepEqual([await at(0), await at(79.9)], [first, first]);
    assert.equal(source.count, 1);
    assert.deepEqual([await at(80), await at(80.5)], [first, first]);
    assert.equal(source.count, 2);
    now = 101_000;
    await assert.rejects(bearer.token(), (error) => error === gone);
    assert.equal(await at(102), second);
    assert.equal(source.count, 4);
  });

  test('of a source whose tokens are fresh lives as long as it says, whatever the clock here says', async () => {
    let now = 5_000_000;
    const source = { ...turns(tokenOf({ iat: 0, exp: 300 }, '1'), tokenOf({ iat: 0, exp: 300 }, '2')), isFresh: true };
    const bearer = renewedBearer(source, () => now);
    const first = await bearer.token();
    now += 239_000;
    assert.equal(await bearer.token(), first);
    now += 2_000;
    assert.notEqual(await bearer.token(), first);
  });

  test('is not waited for by who is stopped', async () => {
    const bearer = renewedBearer({ take: () => new Promise(() => undefined) });
    const stop = new AbortController();
    const waiting = bearer.token(stop.signal);
    stop.abort();
    await assert.rejects(waiting, (error) => isArtifactstoreError(error, 'cancelled'));
    await assert.rejects(bearer.another('x', stop.signal), (error) => isArtifactstoreError(error, 'cancelled'));
  });

  test('is not waited for by who is stopped while the old one would do', async () => {
    let now = 0;
    const first = tokenOf({ iat: 0, exp: 100 });
    const tokens = [Promise.resolve(first), new Promise<string>(() => undefined)];
    const bearer = renewedBearer({ take: () => tokens.shift()! }, () => now);
    await bearer.token();
    now = 90_000;
    const stop = new AbortController();
    const waiting = bearer.token(stop.signal);
    stop.abort();
    await assert.rejects(waiting, (error) => isArtifactstoreError(error, 'cancelled'));
  });

  test('that lives long is renewed a minute ahead of its end', async () => {
    let now = 0;
    const [first, second] = [tokenOf({ iat: 0, exp: 1000 }), tokenOf({ iat: 940, exp: 1940 })];
    const bearer = renewedBearer(turns(first, second), () => now);
    await bearer.token();
    now = 939_000;
    assert.equal(await bearer.token(), first);
    now = 940_000;
    assert.equal(await bearer.token(), second);
  });

  test('is renewed at once where the clock was set back meanwhile', async () => {
    let now = 1_000_000;
    const bearer = renewedBearer(turns(tokenOf({ iat: 0, exp: 100 }), 'b'), () => now);
    await bearer.token();
    now = 900_000;
    assert.equal(await bearer.token(), 'b');
  });
});

test('beside a refusal is what its source knows, unless the server has said something of its own', () => {
  const bearer = renewedBearer({ take: async () => 'a', hint: (refused) => `of the source of ${refused}` });
  const refusal = (info: object) => new ArtifactstoreError('unauthorized', 'No.', { info: { ...info } });
  assert.equal(bearer.explained(refusal({}), 'a').info?.hint, 'of the source of a');
  assert.equal(bearer.explained(refusal({ hint: 'of the server' }), 'a').info?.hint, 'of the server');
  assert.equal(renewedBearer(sourceOf('a')).explained(refusal({}), 'a').info?.hint, undefined);
});

test('a token and a function are sources; what can not be sent is refused without showing it', async () => {
  assert.equal(await sourceOf(' t\n').take(), 't');
  assert.equal(await sourceOf(() => 'f').take(), 'f');
  for (const text of ['', ' ', 'secret word', 'secret\u0000', 'sécret'])
    await assert.rejects(
      sourceOf(text).take(),
      (error) => isArtifactstoreError(error, 'invalid_configuration') && !/s.cret/.test(error.message),
    );
});

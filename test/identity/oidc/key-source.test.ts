import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { Oidc } from '../../../src/identity/oidc/OIDC.ts';
import { createOidc } from '../../../src/identity/oidc/verifier.ts';
import { endsWith, makeKey, startTestIssuer, type TestIssuer } from './test-issuer.ts';

let clock = Date.now();
const now = (): number => clock;
const [second, minute] = [1_000, 60_000];
const issuers: TestIssuer[] = [];
let issuer: TestIssuer;
let oidc: Oidc;

beforeEach(async () => {
  issuer = await startTestIssuer(now);
  issuers.push(issuer);
  oidc = createOidc({ now });
  oidc.use([{ ...issuer.config, maximumAgeSeconds: 86_400 }]);
});
after(async () => {
  for (const each of issuers) await each[Symbol.asyncDispose]();
});

/** How often its keys were read. */
function readings(): number {
  return issuer.asked.filter((path) => path === '/keys').length;
}

/** Waits for what is done beside the work. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    assert.ok(turn < 10_000, 'it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const day = (): { readonly exp: number } => ({ exp: Math.floor(clock / 1000) + 86_400 });

test('a flood of keys that are not there costs one reading in 30 seconds, and those that come together share it', async () => {
  await oidc.verify(await issuer.sign());
  assert.equal(readings(), 1);
  clock += 31 * second;
  const unknown = await Promise.all(Array.from({ length: 200 }, (_, index) => issuer.sign({}, { kid: `unknown ${index}` })));
  const flood = async (): Promise<void> => {
    await Promise.all(unknown.map((token) => endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/)));
  };
  await flood();
  assert.equal(readings(), 2);
  await flood();
  clock += 29 * second;
  await flood();
  assert.equal(readings(), 2);
  // Those who have a good key are served meanwhile.
  assert.equal((await oidc.verify(await issuer.sign())).issuer, 'ci');
  clock += 2 * second;
  await flood();
  assert.equal(readings(), 3);
});

test('callers that come first share one reading', async () => {
  const tokens = await Promise.all(Array.from({ length: 50 }, () => issuer.sign()));
  await Promise.all(tokens.map(async (token) => await oidc.verify(token)));
  assert.equal(readings(), 1);
});

test('a new key is found when it first signs, and one without a name where it is the only one', async () => {
  await oidc.verify(await issuer.sign());
  clock += 31 * second;
  const [old] = issuer.keys;
  issuer.keys = [await makeKey(), ...issuer.keys];
  assert.equal((await oidc.verify(await issuer.sign())).issuer, 'ci');
  assert.equal((await oidc.verify(await issuer.sign({}, {}, old))).issuer, 'ci');
  assert.equal(readings(), 2);
  await endsWith(oidc.verify(await issuer.sign({}, { kid: undefined })), 'unauthorized', /several keys/);
  issuer.keys = issuer.keys.slice(0, 1);
  clock += 10 * minute;
  assert.equal((await oidc.verify(await issuer.sign({}, { kid: undefined }))).issuer, 'ci');
});

test('a key that was withdrawn ends after ten minutes, with the tokens that were known', async () => {
  const token = await issuer.sign(day());
  const [withdrawn] = issuer.keys;
  const verified = await oidc.verify(token);
  issuer.keys = [await makeKey()];
  clock += 4 * minute;
  assert.equal(oidc.verify(token), verified);
  assert.equal(readings(), 1);
  clock += 6 * minute;
  await endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/);
  await endsWith(oidc.verify(await issuer.sign({}, {}, withdrawn)), 'unauthorized', /publishes no key of the name/);
  assert.equal((await oidc.verify(await issuer.sign())).issuer, 'ci');
  assert.equal(readings(), 2);
});

test('where tokens keep coming the keys are read again before that, and nobody waits', async () => {
  const token = await issuer.sign(day());
  const verified = await oidc.verify(token);
  clock += 6 * minute;
  assert.equal(oidc.verify(token), verified);
  assert.equal(oidc.verify(token), verified);
  await until(() => readings() === 2 && oidc.status()[0]?.read_at === new Date(clock).toISOString());
  clock += 6 * minute;
  // The same keys: what was verified with them holds.
  assert.equal(oidc.verify(token), verified);
});

test('where reading again beside the work fails, the issuer is asked every 30 seconds at most', async () => {
  const token = await issuer.sign(day());
  const verified = await oidc.verify(token);
  issuer.asked.length = 0;
  issuer.instead = (_, response) => response.writeHead(500).end();
  clock += 6 * minute;
  assert.equal(oidc.verify(token), verified);
  await until(() => oidc.status()[0]?.failure !== null);
  for (let turn = 0; turn < 5; turn++) {
    assert.equal(oidc.verify(token), verified);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(issuer.asked.length, 1);
});

test('keys are as old as the question for them, not as its answer', async () => {
  oidc.use([{ ...issuer.config, maximumAgeSeconds: 86_400, jwksUrl: `${issuer.url}/keys` }]);
  const token = await issuer.sign(day());
  const keys = JSON.stringify({ keys: issuer.keys.map(({ published }) => published) });
  issuer.instead = (_, response) => {
    clock += 4 * minute;
    response.end(keys);
  };
  await oidc.verify(token);
  issuer.instead = undefined;
  issuer.keys = [await makeKey()];
  clock += 6 * minute;
  await endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/);
});

test('an issuer that withdraws all keys ends them', async () => {
  const token = await issuer.sign();
  await oidc.verify(token);
  issuer.keys = [];
  clock += 10 * minute;
  await endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/);
  assert.equal(oidc.status()[0]?.keys, 0);
});

test('an issuer that is away at the start is no refusal, is asked every five seconds at most, and is found when it is back', async () => {
  await issuer.down();
  const token = await issuer.sign();
  await endsWith(oidc.verify(token), 'identity_unavailable', /issuer "ci" can't be had now: nothing listens there/);
  assert.match(oidc.status()[0]?.failure ?? '', /nothing listens/);
  await issuer.up();
  clock += 4 * second;
  await endsWith(oidc.verify(token), 'identity_unavailable', /nothing listens there/);
  assert.equal(issuer.asked.length, 0);
  clock += 1 * second;
  assert.equal((await oidc.verify(token)).issuer, 'ci');
  assert.deepEqual(oidc.status(), [{ issuer: 'ci', keys: 1, read_at: new Date(clock).toISOString(), failure: null }]);
});

test('a look at an issuer that could not be reached has it asked again, at most every 30 seconds', async () => {
  const state = () => oidc.status()[0];
  assert.deepEqual(state(), { issuer: 'ci', keys: 0, read_at: null, failure: null });
  await issuer.down();
  await endsWith(oidc.verify(await issuer.sign()), 'identity_unavailable', /nothing listens there/);
  await issuer.up();
  clock += 29 * second;
  for (let look = 0; look < 3; look++) assert.match(state()?.failure ?? '', /nothing listens there/);
  assert.equal(readings(), 0);
  clock += 1 * second;
  assert.match(state()?.failure ?? '', /nothing listens there/);
  await until(() => state()?.failure === null);
  assert.deepEqual([readings(), state()?.keys], [1, 1]);
});

test('while an issuer is away its keys stay in force for an hour, and one that is not known is no refusal', async () => {
  const token = await issuer.sign(day());
  const verified = await oidc.verify(token);
  await issuer.down();
  clock += 31 * second;
  await endsWith(oidc.verify(await issuer.sign({}, {}, await makeKey())), 'identity_unavailable', /nothing listens there/);
  clock += 10 * minute;
  assert.deepEqual(await oidc.verify(token), verified);
  for (let passed = 0; passed < 45; passed++) {
    clock += 1 * minute - 1;
    assert.ok((await oidc.verify(token)).issuer === 'ci' && (await oidc.verify(await issuer.sign())).issuer === 'ci');
  }
  clock += 5 * minute;
  await endsWith(oidc.verify(token), 'identity_unavailable', /nothing listens there/);
  await issuer.up();
  clock += 5 * second;
  assert.equal((await oidc.verify(token)).issuer, 'ci');
});

test('that an issuer was away long ago does not keep its keys: it is asked first', async () => {
  const token = await issuer.sign(day());
  await oidc.verify(token);
  await issuer.down();
  clock += 10 * minute;
  await oidc.verify(token);
  await issuer.up();
  issuer.keys = [await makeKey()];
  clock += 10 * minute;
  await endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/);
});

test('a clock that is set back does not make keys last', async () => {
  const token = await issuer.sign({ ...day(), nbf: undefined, iat: Math.floor(clock / 1000) - 7200, exp: Math.floor(clock / 1000) + 3600 });
  await oidc.verify(token);
  issuer.keys = [await makeKey()];
  clock -= 60 * minute;
  await endsWith(oidc.verify(token), 'unauthorized', /publishes no key of the name/);
});

test('closing ends what is asked for', async () => {
  issuer.instead = () => undefined;
  const answer = oidc.verify(await issuer.sign());
  await until(() => issuer.asked.length === 1);
  await Promise.all([oidc.close(), endsWith(answer, 'identity_unavailable', /can't be had now(?!.*in time)/)]);
});

test('what is asked for of an issuer ends with its table', async () => {
  issuer.instead = () => undefined;
  const answer = oidc.verify(await issuer.sign());
  await until(() => issuer.asked.length === 1);
  oidc.use([]);
  await endsWith(answer, 'identity_unavailable', /can't be had now(?!.*in time)/);
});

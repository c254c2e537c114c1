import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Door, openDoor } from '../rest/open-door.ts';
import { openSigningIn, type SigningIn, type Walker, walker } from './signing-in.ts';

describe('signing in to the console by an issuer', () => {
  let world: SigningIn;
  let door: Door;
  let pages: string;
  before(async () => {
    world = await openSigningIn();
    door = await openDoor({ identity: world.identity, port: world.port });
    pages = `${door.url}/console/`;
  });
  after(async () => {
    await door[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });
  const start = (to = ''): string => `${pages}sign-in/start?${new URLSearchParams({ issuer: 'people', to })}`;
  const whoAmI = async (browser: Walker) => (await (await browser.ask(`${door.url}/whoami`)).json()) as Record<string, unknown>;
  const sessionOf = async (browser: Walker) =>
    (await (await browser.ask(`${pages}sign-in/session`)).json()) as { readonly csrf_token: string | null; readonly choices: unknown };
  const statusOf = async (browser: Walker, headers: Record<string, string> = {}) => {
    const { status, body } = await browser.ask(`${door.url}/packages`, { headers });
    await body?.cancel();
    return status;
  };
  const reasonOf = (response: Response): string | null =>
    new URL(response.headers.get('location') ?? '', `${pages}sign-in/callback`).searchParams.get('reason');

  test('makes of a person who the access file says it is, and no address or log has a code or a token', async () => {
    const browser = walker();
    assert.deepEqual(await sessionOf(browser), { choices: [{ issuer: 'people', label: 'Example people' }], csrf_token: null });
    const begun = await browser.ask(start('packages?producer=ci'));
    assert.equal(begun.status, 303);
    const question = new URL(begun.headers.get('location')!).searchParams;
    assert.deepEqual([question.get('code_challenge_method'), question.get('response_type')], ['S256', 'code']);
    assert.match(
      begun.headers.getSetCookie()[0]!,
      /^__Host-artifactstore-sign-in-[0-9a-f]{8}-[0-9a-f]{8}=\S+; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
    );
    const done = await browser.signIn(start('packages?producer=ci'), 'alice');
    const { headers } = done;
    assert.deepEqual([done.status, headers.get('location'), headers.get('cache-control')], [303, '../packages?producer=ci', 'no-store']);
    const session = headers.getSetCookie().at(-1)!;
    assert.match(
      session,
      /^__Host-artifactstore-session-[0-9a-f]{8}-[0-9a-f]{8}=[\w-]{43}; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Strict$/,
    );
    assert.ok(Number(/Max-Age=(\d+)/.exec(session)![1]) <= 600, 'it ends with the token');
    const who = await whoAmI(browser);
    assert.deepEqual([who.actor, who.by], ['person:alice', 'issuer people']);
    assert.deepEqual(who.grants, [{ role: 'writer', producers: [{ exact: 'ci' }] }]);
    assert.ok(!door.lines.some((line) => /eyJ|code=|state=/.test(line)));
  });

  test('lets a change be done by our own page alone, and a look by the cookie', async () => {
    const [browser, other] = [walker(), walker()];
    await browser.signIn(start(), 'alice');
    await other.signIn(start(), 'alice');
    const { csrf_token } = await sessionOf(browser);
    const create = async (headers: Record<string, string>) => {
      const response = await browser.ask(`${door.url}/packages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ name: 'n', producer: 'ci', subject: 's', retention_class: 'transient' }),
      });
      return [response.status, ((await response.json()) as { readonly code?: string }).code];
    };
    const ofAnother = (await sessionOf(other)).csrf_token!;
    for (const given of [undefined, '', 'x', `${csrf_token}x`, ofAnother])
      assert.deepEqual(await create(given === undefined ? {} : { 'artifactstore-csrf': given }), [403, 'forbidden'], given);
    assert.deepEqual(await create({ 'artifactstore-csrf': csrf_token! }), [201, undefined]);
    assert.equal(await statusOf(browser), 200);
    const stream = await browser.ask(`${door.url}/events?since=0`, { headers: { accept: 'text/event-stream' } });
    assert.match(stream.headers.get('content-type') ?? '', /event-stream/);
    await stream.body!.cancel();
    for (const site of ['cross-site', 'same-site']) assert.equal(await statusOf(browser, { 'sec-fetch-site': site }), 401, site);
    for (const site of ['same-origin', 'none']) assert.equal(await statusOf(browser, { 'sec-fetch-site': site }), 200, site);
  });

  test('ends at the sign-out, which nobody else can ask for', async () => {
    const browser = walker();
    await browser.signIn(start(), 'alice');
    const thief = walker();
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
    const out = async (headers: Record<string, string>) => (await browser.ask(`${pages}sign-in/out`, { method: 'POST', headers })).status;
    assert.equal(await out({}), 403);
    assert.equal(await statusOf(browser), 200);
    assert.equal(await out({ 'artifactstore-csrf': (await sessionOf(browser)).csrf_token! }), 204);
    assert.equal((await whoAmI(browser)).by, null);
    // Whoever has copied the cookie has nothing.
    assert.equal(await statusOf(thief), 401);
    const cleared = await thief.ask(`${pages}sign-in/session`);
    assert.match(cleared.headers.getSetCookie()[0] ?? '', /session-[0-9a-f]{8}-[0-9a-f]{8}=; Path=\/; Max-Age=0;/);
  });

  test('takes no answer that the same browser did not ask for, nor one twice', async () => {
    const attacker = walker();
    const answer = await attacker.toCallback(start(), 'alice');
    const victim = walker();
    // Without having begun, and having begun something else.
    assert.equal(reasonOf(await victim.ask(answer)), 'state');
    await victim.ask(start());
    assert.equal(reasonOf(await victim.ask(answer)), 'state');
    assert.equal(await statusOf(victim), 401);
    assert.equal(reasonOf(await attacker.ask(answer)), null);
    assert.equal(reasonOf(await attacker.ask(answer)), 'state');
  });

  test('holds the answer to the state, the nonce and the verifier of its question', async () => {
    for (const [member, reason] of [
      ['state', 'state'],
      ['nonce', 'refused'],
      ['verifier', 'refused'],
    ] as const) {
      const browser = walker();
      const answer = await browser.toCallback(start(), 'alice');
      const [name, value] = [...browser.cookies].find(([each]) => each.includes('sign-in-'))!;
      const begun = JSON.parse(Buffer.from(value, 'base64url').toString());
      const other = { ...begun, [member]: `${begun[member].slice(0, -4)}AAAA` };
      browser.cookies.delete(name);
      browser.put(pages, 'sign-in', Buffer.from(JSON.stringify(other)).toString('base64url'));
      assert.equal(reasonOf(await browser.ask(answer)), reason, member);
      assert.equal(await statusOf(browser), 401);
    }
  });

  test('gives each sign-in a session of its own, and ends the one before it in that browser', async () => {
    const browser = walker();
    await browser.signIn(start(), 'alice');
    const earlier = walker();
    for (const [name, value] of browser.cookies) earlier.cookies.set(name, value);
    await browser.signIn(start(), 'alice');
    assert.deepEqual([await statusOf(earlier), await statusOf(browser)], [401, 200]);
    // A cookie that somebody has put there before is no session afterwards.
    const fixed = walker();
    fixed.put(pages, 'session', 'chosen-by-somebody-else');
    await fixed.signIn(start(), 'alice');
    assert.ok(![...fixed.cookies.values()].includes('chosen-by-somebody-else'));
    assert.equal(await statusOf(fixed), 200);
  });

  test('a late answer to an old session or sign-in leaves the new one alone', async () => {
    const browser = walker();
    await browser.signIn(start(), 'alice');
    const old = walker();
    for (const [name, value] of browser.cookies) old.cookies.set(name, value);
    const csrf = (await sessionOf(old)).csrf_token!;
    await browser.signIn(start(), 'alice');
    // Of a look by the old session, which has ended by now, and of a sign-out by it.
    const look = await old.ask(`${pages}sign-in/session`);
    await browser.ask(start());
    const callback = await browser.toCallback(start(), 'alice');
    const out = await old.ask(`${pages}sign-in/out`, { method: 'POST', headers: { 'artifactstore-csrf': csrf } });
    for (const late of [look, out]) browser.receive(pages, late);
    assert.equal(await statusOf(browser), 200);
    assert.equal(reasonOf(await browser.ask(callback)), null);
  });

  test('two tabs sign in at once, and of both sessions the later one counts', async () => {
    const browser = walker();
    const answers = [await browser.toCallback(start(), 'alice'), await browser.toCallback(start(), 'dora')];
    const [alice, dora] = [walker(), walker()];
    for (const tab of [alice, dora]) for (const [name, value] of browser.cookies) tab.cookies.set(name, value);
    for (const [tab, answer] of [
      [dora, answers[1]!],
      [alice, answers[0]!],
    ] as const)
      browser.receive(pages, await tab.ask(answer));
    assert.deepEqual([(await whoAmI(browser)).actor, (await whoAmI(alice)).actor], ['person:alice', 'person:alice']);
    // The other one ends with the first look, and its cookie goes.
    await sessionOf(browser);
    assert.equal([...browser.cookies.keys()].filter((name) => name.includes('-session-')).length, 1);
    assert.deepEqual([await statusOf(dora), (await whoAmI(browser)).actor], [401, 'person:alice']);
  });

  test('a browser keeps the four sign-ins that it began last', async () => {
    const browser = walker();
    const first = await browser.toCallback(start(), 'alice');
    for (let begun = 0; begun < 3; begun++) await browser.ask(start());
    const kept = () => [...browser.cookies.keys()].filter((name) => name.includes('-sign-in-')).length;
    assert.equal(kept(), 4);
    await browser.ask(start());
    assert.equal(kept(), 4);
    assert.equal(reasonOf(await browser.ask(first)), 'state');
  });

  test('says in a word why it did not work, and sends nobody to another site', async () => {
    assert.equal(reasonOf(await walker().signIn(start(), 'bob')), 'nothing');
    const browser = walker();
    await browser.ask(start());
    const { state } = JSON.parse(Buffer.from([...browser.cookies.values()][0]!, 'base64url').toString());
    const query = new URLSearchParams({ state, iss: world.issuer.url, error: 'access_denied' });
    assert.equal(reasonOf(await browser.ask(`${pages}sign-in/callback?${query}`)), 'denied');
    assert.equal(reasonOf(await walker().ask(`${pages}sign-in/start?issuer=others`)), 'unknown');
    for (const to of ['https://evil.example/', '//evil.example', '\\\\evil.example', '../../x', 'javascript:alert(1)', './/evil.example'])
      assert.equal((await walker().signIn(start(to), 'alice')).headers.get('location'), '../', to);
  });

  test('counts as the access file is now, for who is signed in too', async () => {
    const browser = walker();
    await browser.signIn(start(), 'alice');
    const text = readFileSync(world.accessFile, 'utf8');
    writeFileSync(world.accessFile, text.replace('"alice"', '"carol"'));
    let status = 200;
    for (let waited = 0; waited < 3_000 && status === 200; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      status = await statusOf(browser);
    }
    assert.equal(status, 403);
    writeFileSync(world.accessFile, text);
    for (let waited = 0; waited < 3_000 && status === 403; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      status = await statusOf(browser);
    }
  });

  test('takes an issuer that is away for no refusal: nothing is known', async () => {
    const browser = walker();
    const answer = await browser.toCallback(start(), 'alice');
    world.issuer.away(true);
    try {
      assert.equal(reasonOf(await browser.ask(answer)), 'unavailable');
    } finally {
      world.issuer.away(false);
    }
    assert.ok(door.lines.some((line) => line.includes('could not sign in') && line.includes('people')));
  });
});

test('a confidential client shows its secret to the issuer, below the path of a proxy too', async () => {
  await using world = await openSigningIn({ secret: 'only-for-tests', below: '/artifacts' });
  await using door = await openDoor({
    identity: world.identity,
    port: world.port,
    prefix: { basePath: '/artifacts', trustForwardedPrefix: false },
  });
  const browser = walker();
  const done = await browser.signIn(`${door.url}/artifacts/console/sign-in/start?issuer=people&to=events`, 'alice');
  assert.deepEqual([done.status, done.headers.get('location')], [303, '../events']);
  const who = (await (await browser.ask(`${door.url}/artifacts/whoami`)).json()) as { readonly actor: string };
  assert.equal(who.actor, 'person:alice');
  assert.ok(!door.lines.some((line) => line.includes('only-for-tests')));
});

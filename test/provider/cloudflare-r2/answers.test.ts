import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { Issuer, Provider } from '../../../src/provider/PROVIDER.ts';
import { type Secret, secretOf } from '../../../src/secrets/secret.ts';
import { providerAt } from '../opened.ts';
import { everyPermission, openStrictApi, type StrictApi } from './strict-api.ts';

const groupOf = (name: string, scope = 'com.cloudflare.edge.r2.bucket'): object => ({ id: `id-of-${name}`, name, scopes: [scope] });
const of = (result: unknown, more: object = {}): string => JSON.stringify({ success: true, errors: [], result, ...more });
const refusal = (code: number, message: string): string => JSON.stringify({ success: false, errors: [{ code, message }], result: null });
const scope = { bucket: 'artifacts', prefix: '' };

describe("an answer of Cloudflare's API", () => {
  let api: StrictApi;
  let provider: Provider;
  let issuer: Issuer;
  let authority: Secret;
  before(async () => {
    api = await openStrictApi();
    authority = secretOf(api.addToken().value);
    provider = providerAt('cloudflare-r2', api.account, api.url, 'http://127.0.0.1:1');
    issuer = provider.issuer!;
  });
  afterEach(() => api.endStrikes());
  after(async () => {
    await provider.close();
    await api[Symbol.asyncDispose]();
  });

  async function fails(asked: Promise<unknown>, code: ErrorCode, said: RegExp): Promise<void> {
    await assert.rejects(asked, (error) => {
      assert.ok(isArtifactstoreError(error, code), String(error));
      assert.match(error.message, said);
      assert.doesNotMatch(`${error.message}${JSON.stringify(error.info)}`, /hush/, 'nothing of an answer is repeated');
      return true;
    });
  }

  /** The provider answers this to what matches. */
  const answer = (call: RegExp, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void => {
    api.endStrikes();
    api.strike(call, { answer: { status, body, headers } }, 9);
  };

  const mint = (): Promise<unknown> =>
    issuer.mint(authority, { label: 'artifactstore-g1-x-proxy', role: 'proxy', scope, expiresAtMilliseconds: Date.now() + 3_600_000 });

  test('is one only if it has the form of the API, says that it succeeded and has a status that does', async () => {
    for (const [status, body, said] of [
      [200, '<html>hush</html>', /answers 200 to GET \/tokens\/verify with something that is not the API's JSON \(text\/html\)/],
      [200, '["hush"]', /is not the API's JSON/],
      [200, '{"result":{"id":"hush"}}', /is not the API's JSON/],
      [200, '{"success":"true","result":{}}', /is not the API's JSON/],
      [500, of({ id: 'hush', status: 'active' }), /refuses a call \(GET \/tokens\/verify\): 500\./],
      [302, of({ id: 'hush', status: 'active' }), /refuses a call \(GET \/tokens\/verify\): 302\./],
      [200, refusal(1234, 'hush'), /refuses a call \(GET \/tokens\/verify\): 200, code 1234, success: false/],
      [200, of(null), /answers without a result/],
      [200, of({ id: '', status: 'active' }), /answers without what was asked for/],
      [200, of({ status: 'active' }), /answers without what was asked for/],
    ] as const) {
      answer(/verify/, status, body);
      await fails(provider.verify(authority, undefined), 'provider_unavailable', said);
    }
    for (const [type, told] of [
      ['text/hush', /JSON \(an unknown type\)/],
      ['application/json;charset=hush', /JSON \(application\/json\)/],
      ['"hush"', /JSON \(an unknown type\)/],
    ] as const) {
      answer(/verify/, 200, 'x', { 'content-type': type });
      await fails(provider.verify(authority, undefined), 'provider_unavailable', told);
    }
  });

  test('tells a token that it does not know, or not from here, from one that may not', async () => {
    for (const [status, code, message, wanted, said] of [
      [401, 10000, 'Authentication error', 'authority_unusable', /\(401, code 10000\): the provider does not know the token/],
      [400, 6003, 'hush', 'authority_unusable', /\(400, code 6003\): the provider does not know the token/],
      [403, 9109, 'Unauthorized to access requested resource: hush', 'authority_unusable', /does not know the token/],
      [403, 9109, 'Cannot use the access token from location: hush', 'authority_unusable', /may not be used from this machine's address/],
      [403, 10000, 'hush', 'authority_unusable', /\(403, code 10000\), which every token of the account/],
      [400, 10000, 'hush', 'provider_unavailable', /refuses a call .*: 400, code 10000/],
    ] as const) {
      answer(/verify/, status, refusal(code, message));
      await fails(provider.verify(authority, undefined), wanted, said);
    }
    answer(/verify/, 404, refusal(1001, 'hush'));
    await fails(provider.verify(authority, undefined), 'authority_unusable', /not one of account/);
    answer(/^GET \/tokens\/[0-9a-f]{32}$/, 404, refusal(1001, 'hush'));
    await fails(provider.verify(authority, undefined), 'authority_unusable', /not one of account/);
    answer(/verify/, 200, of({ id: 'x', status: 'on_hold' }));
    await fails(provider.verify(authority, undefined), 'authority_unusable', /is not active/);
  });

  test('counts a permission only where it is allowed, and only one of just this name for buckets', async () => {
    const policies = [{ effect: 'deny', permission_groups: everyPermission.map((name) => ({ name })) }];
    answer(/^GET \/tokens\/[0-9a-f]{32}$/, 200, of({ id: 'x', policies }));
    await fails(provider.verify(authority, undefined), 'provider_forbidden', /may not make or end other tokens/);
    const name = 'Workers R2 Storage Bucket Item Read';
    for (const rows of [[], [groupOf(`${name} Only`)], [groupOf(name, 'com.cloudflare.api.account')], [{ name }], 'hush']) {
      answer(/permission_groups/, 200, of(rows));
      await fails(provider.verify(authority, undefined), 'provider_forbidden', /The permission group "[\w ]+" is not shown to the token/);
      await fails(mint(), 'provider_forbidden', /is not shown to the token/);
    }
    assert.deepEqual(api.minted(), []);
  });

  test('to a creation has an id and a value, or the token is no key', async () => {
    for (const made of [null, {}, { id: 'x' }, { value: 'hush' }, { id: 'x', value: '' }]) {
      answer(/^POST \/tokens$/, 200, of(made));
      await fails(mint(), 'provider_unavailable', /answers without/);
    }
  });

  test('is asked of one account, for tokens that end', async () => {
    for (const account of ['', 'x', `${api.account}0`, api.account.toUpperCase().replace(/^./, 'G'), '../other'])
      assert.throws(() => providerAt('cloudflare-r2', account, api.url, 'http://127.0.0.1:1'), /is not an account id/);
    const label = 'artifactstore-g9-x-proxy';
    const expiresAtMilliseconds = Date.parse('2030-01-02T03:04:05.678Z');
    const made = await issuer.mint(authority, { label, role: 'proxy', scope, expiresAtMilliseconds });
    assert.equal(api.token(made.id)?.expiresOn, '2030-01-02T03:04:05Z');
    await issuer.revoke(authority, made.id);
  });

  test('to a list is read to its last page, and a list without end is none', async () => {
    const label = 'artifactstore-g1-';
    const row = (index: number) => ({ id: `id-${index}`, name: `${label}${index}` });
    const rows = Array.from({ length: 50 }, (_, index) => row(index));
    // By number where the provider says how many there are; by a short page otherwise.
    api.strike(/^GET \/tokens$/, { answer: { status: 200, body: of([row(1)], { result_info: { total_pages: 2 } }) } });
    api.strike(/^GET \/tokens$/, {
      answer: { status: 200, body: of([row(2), { id: 'x', name: 'other' }], { result_info: { total_pages: 2 } }) },
    });
    assert.deepEqual(await issuer.find(authority, label), ['id-1', 'id-2']);
    api.endStrikes();
    api.strike(/^GET \/tokens$/, { answer: { status: 200, body: of(rows) } });
    api.strike(/^GET \/tokens$/, { answer: { status: 200, body: of([row(50)]) } });
    assert.equal((await issuer.find(authority, label)).length, 51);
    api.endStrikes();
    api.strike(/^GET \/tokens$/, { answer: { status: 200, body: of(rows) } }, 1000);
    await fails(issuer.find(authority, label), 'provider_unavailable', /lists more than 5000 tokens/);
    answer(/^GET \/tokens$/, 403, refusal(10000, 'hush'));
    await fails(issuer.find(authority, label), 'provider_forbidden', /cannot be listed \(403, code 10000\): needs Account API Tokens Read/);
    answer(/^GET \/tokens$/, 200, '<html>');
    await fails(issuer.find(authority, label), 'provider_unavailable', /answers 200 to GET \/tokens with/);
  });

  test('to the end of a token is believed only where it is one', async () => {
    answer(/^DELETE/, 200, '<html>Sign in</html>');
    await fails(issuer.revoke(authority, 'x'), 'provider_unavailable', /answers 200 to DELETE \/tokens\/x with/);
    answer(/^DELETE/, 200, refusal(1000, 'hush'));
    await fails(issuer.revoke(authority, 'x'), 'provider_unavailable', /200, code 1000, success: false/);
    answer(/^DELETE/, 404, '<html>No such page</html>');
    await fails(issuer.revoke(authority, 'x'), 'provider_unavailable', /answers 404 to DELETE \/tokens\/x with/);
    api.endStrikes();
    assert.equal(await issuer.revoke(authority, 'x'), 'absent');
  });
});

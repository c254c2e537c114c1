import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import { type Asker, type AskerOptions, createAsker } from '../../src/provider/ask.ts';
import type { HttpQuestion } from '../../src/runtime/http-client.ts';

type Answer = (response: ServerResponse) => void;

const cut: Answer = (response) => response.destroy();
const busy: Answer = (response) => response.writeHead(503).end('busy');
const fine: Answer = (response) => response.end('fine');
const limited = (retryAfter?: string): Answer => {
  return (response) => response.writeHead(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
};

describe('a question to a provider', () => {
  let next: Answer[] = [];
  let asked = 0;
  const waited: number[] = [];
  let address = '';
  const server = createServer((_, response) => {
    asked += 1;
    (next.shift() ?? fine)(response);
  });
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** What came of it, and how often the server was asked for it. */
  async function ask(method: HttpQuestion['method'], answers: readonly Answer[], options: Partial<AskerOptions> = {}) {
    next = [...answers];
    asked = 0;
    waited.length = 0;
    const wait = async (time: number): Promise<void> => void waited.push(time);
    const asker: Asker = createAsker({ place: 'here', address, answerMilliseconds: 5000, limitMilliseconds: 60_000, wait, ...options });
    try {
      return await asker.ask(() => ({ method, path: '/tokens?signature=hush', headers: {} }));
    } finally {
      await asker.close();
    }
  }

  async function fails(method: HttpQuestion['method'], answers: readonly Answer[], said: RegExp, options: Partial<AskerOptions> = {}) {
    await assert.rejects(ask(method, answers, options), (error) => {
      assert.ok(isArtifactstoreError(error, 'provider_unavailable' satisfies ErrorCode), String(error));
      assert.match(error.message, said);
      assert.notEqual(String(error.info?.hint ?? ''), '');
      assert.doesNotMatch(`${error.message}${JSON.stringify(error.info)}`, /hush/, 'a query may have a signature');
      return true;
    });
  }

  test('is asked again, three times in all, when its connection was cut and it changes nothing', async () => {
    assert.equal((await ask('GET', [cut, cut])).text, 'fine');
    await fails('GET', [cut, cut, cut], /cannot be reached for GET \/tokens \([A-Z_]+\): the connection was cut/);
    assert.equal(asked, 3);
    // What changes something may have been done.
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      await fails(method, [cut], new RegExp(`cannot be reached for ${method} /tokens`));
      assert.equal(asked, 1, method);
    }
  });

  test('is asked again when the provider is busy and it changes nothing, and 503 is its answer in the end', async () => {
    assert.equal((await ask('GET', [busy, busy])).text, 'fine');
    assert.deepEqual(waited, [2000, 4000]);
    assert.equal((await ask('GET', [busy, busy, busy])).status, 503);
    assert.equal(asked, 3);
    assert.equal((await ask('POST', [busy])).status, 503);
    assert.equal(asked, 1);
  });

  test('waits for a limit as long as that says, in seconds or by a date, within the bound', async () => {
    assert.equal((await ask('POST', [limited('7'), limited(), limited('soon')])).text, 'fine');
    assert.deepEqual(waited, [7000, 4000, 8000]);
    await ask('GET', [limited(new Date(Date.now() + 20_000).toUTCString()), limited(new Date(0).toUTCString())]);
    assert.ok(waited[0]! > 15_000 && waited[0]! <= 20_000, String(waited));
    assert.equal(waited[1], 0);
    await fails('POST', [limited('40'), limited('40')], /limits how often it is asked \(429\), and wants 40 seconds: POST \/tokens\.$/);
    assert.deepEqual(waited, [40_000]);
  });

  test('says whose address it is, and which setting has it', async () => {
    const gone = { address: 'http://127.0.0.1:1' };
    const long: Answer = (response) => response.end('x'.repeat(1_048_577));
    for (const [answers, options, said, hint] of [
      [[], gone, /^The provider at here cannot be reached .*nothing listens there/, /^look at --provider-url and at the way there/],
      [[], { ...gone, asked: 'objects' }, /^The object store at here cannot be reached/, /^look at --endpoint, the address of the objects/],
      [[long], {}, /^The provider at here answers more than/, /^look at --provider-url: is it the address of the API/],
      [
        [long],
        { asked: 'objects' },
        /^The object store at here answers more than/,
        /^look at --endpoint, .*: is it the address of the store/,
      ],
      [[limited('90')], { asked: 'objects' }, /^The object store at here limits how often/, /^try again in 90 seconds/],
    ] as const)
      await assert.rejects(ask('GET', answers, options), (error) => {
        assert.ok(isArtifactstoreError(error, 'provider_unavailable'), String(error));
        assert.match(error.message, said);
        assert.match(String(error.info?.hint), hint);
        return true;
      });
  });

  test('says what hung, and ends when it is told to', async () => {
    const hang: Answer = () => undefined;
    await fails('GET', [hang], /cannot be reached for GET \/tokens \([A-Za-z_]+\): it did not answer in time/, { answerMilliseconds: 100 });
    for (const before of [true, false]) {
      const stop = new AbortController();
      const reason = new Error('stopped');
      if (before) stop.abort(reason);
      await assert.rejects(
        ask('GET', [() => stop.abort(reason)], { signal: stop.signal }),
        (error) => isArtifactstoreError(error, 'cancelled') && error.cause === reason,
      );
      assert.equal(asked, before ? 0 : 1);
    }
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteRegistry } from '../../../src/client/connect.ts';
import { followSource } from '../../../src/client/import/follow-source.ts';
import { createImporter, type Imported } from '../../../src/client/import/import-packages.ts';
import { connectSource, type Source, type SourceOptions } from '../../../src/client/import/source.ts';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { encodeCbor } from '../../../src/kernel/format/cbor.ts';
import type { JsonObject } from '../../../src/kernel/format/json.ts';
import { type OpenServer, openServer } from '../open-server.ts';
import { openRegistry01, type Registry01, token01 } from './registry-01.ts';

/** Whatever a source does, an import of it ends, says in words why, and has sealed nothing that is wrong. */
describe('an import from a source that means harm', () => {
  let server: OpenServer;
  let target: RemoteRegistry;
  let old: Registry01;
  const opened: Source[] = [];
  before(async () => {
    server = await openServer();
    target = server.connect();
  });
  after(() => server.close());
  beforeEach(async () => {
    old = await openRegistry01();
  });
  afterEach(async () => {
    for (const source of opened.splice(0)) await source.close();
    await old.stop();
  });

  function source(options: Partial<SourceOptions> = {}): Source {
    const made = connectSource({ url: old.url, token: token01, patienceSeconds: 0.1, slowSeconds: 30, ...options });
    opened.push(made);
    return made;
  }
  const run = async (options: Partial<SourceOptions> = {}): Promise<Imported> => await createImporter(source(options), target).all();

  /** What ended the run, in its words. */
  async function ended(code: ErrorCode, words: RegExp, options: Partial<SourceOptions> = {}): Promise<void> {
    const { failure } = await run(options);
    assert.ok(isArtifactstoreError(failure, code), String(failure));
    assert.match(failure.message, words);
    assert.match(failure.message, /^The source: /);
  }

  /** What was found of its one package, of which nothing is sealed. */
  async function failed(code: ErrorCode, words: RegExp): Promise<void> {
    const { report, failure } = await run();
    assert.equal(failure, undefined);
    assert.deepEqual(
      report.problems.map((problem) => problem.code),
      [code],
    );
    assert.match(report.problems[0]!.detail, words);
    const { items } = await target.packages.list({
      metadata: { artifactstore_origin: `${old.registryId}/${report.problems[0]!.source_package_id}` },
    });
    assert.deepEqual(
      items.filter(({ status }) => status === 'finalized'),
      [],
    );
  }

  /** Answers what `path` matches by itself. */
  function instead(path: RegExp, answer: (response: ServerResponse, url: string) => void): void {
    old.intercept = (request, response) => {
      if (!path.test(request.url!)) return false;
      response.on('error', () => undefined);
      answer(response, request.url!);
      return true;
    };
  }
  const page = (items: readonly JsonObject[], next_cursor: string | null): string => JSON.stringify({ items, next_cursor });
  const head = (response: ServerResponse, type: string, status = 200): ServerResponse =>
    response.writeHead(status, { 'content-type': type });

  test('ends a list, a manifest, a refusal and a file that have no end', async () => {
    old.seal({ name: 'endless', files: { a: 'endless' } });
    instead(/^\/packages\?/, (response) => void flood(head(response, 'application/json'), '{"items":['));
    await ended('unexpected_answer', /it is longer than 67108864 bytes/);
    instead(/^\/packages\?/, (response) => void flood(head(response, 'application/problem+json', 403), '{"code":"'));
    await ended('unexpected_answer', /its problem is longer than 8388608 bytes/);
    instead(/\/manifest$/, (response) => void flood(head(response, 'application/cbor'), ''));
    await failed('unexpected_answer', /it is longer than 16908288 bytes/);
    instead(/\/download$/, (response) => {
      response.setHeader('etag', `"${[...old.packages.values()][0]!.files[0]!.address}"`);
      void flood(head(response, 'text/plain'), '');
    });
    await failed('unexpected_answer', /More bytes came than the 7 that were asked for/);
  });

  test('waits no longer for what comes byte by byte, or stops coming', async () => {
    const slow = { slowSeconds: 0.5 };
    old.seal({ name: 'slow', files: { a: 'a slow file' } });
    instead(/^\/packages\?/, (response) => void drip(head(response, 'application/json')));
    await ended('server_unreachable', /The answer comes too slowly: \d+ bytes in 0\.5 seconds/, slow);
    instead(/\/manifest$/, (response) => void head(response, 'application/cbor').write('a'));
    await ended('server_unreachable', /The answer comes too slowly: [01] bytes/, slow);
    instead(/\/download$/, (response) => {
      const { address, bytes } = [...old.packages.values()][0]!.files[0]!;
      response.writeHead(200, { etag: `"${address}"`, 'content-length': bytes.length }).write('a');
    });
    await ended('server_unreachable', /comes too slowly/, slow);
  });

  test('sees a list that leads nowhere: to itself, to nothing, on and on', async () => {
    const one = { ...old.seal({ name: 'one', files: { a: 'one' } }).record, status: 'created' };
    let asked = 0;
    const answer = (items: (at: number) => readonly JsonObject[], cursor: (at: number) => string) => {
      asked = 0;
      instead(/^\/packages\?/, (response) => {
        asked += 1;
        head(response, 'application/json').end(page(items(asked), cursor(asked)));
      });
    };
    answer(
      () => [],
      () => 'same',
    );
    await ended('unexpected_answer', /leads back to a page of itself/);
    answer(
      () => [one],
      (at) => `other ${at}`,
    );
    await ended('unexpected_answer', /leads back to a page of itself/);
    assert.equal(asked, 2);
    answer(
      () => [],
      (at) => `other ${at}`,
    );
    await ended('unexpected_answer', /has nothing in 100 pages, and says that there is more/);
    answer(
      (at) => [{ ...one, id: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}` }],
      (at) => `other ${at}`,
    );
    await ended('unexpected_answer', /has not ended after 30 pages/, { mostPages: 30 });
    answer(
      () => [one],
      () => 'x'.repeat(10_000),
    );
    await ended('unexpected_answer', /where to continue in 10000 characters/);
  });

  test('takes no values that are nested without end', async () => {
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    const { record } = old.seal({ name: 'deep', files: { a: 'deep' }, more: { metadata_schema_slug: 'deep.v1' } });
    instead(
      /^\/packages\?/,
      (response) =>
        void head(response, 'application/json').end(page([{ ...record, metadata: 0 }], null).replace('"metadata":0', `"metadata":${deep}`)),
    );
    await ended('unexpected_answer', /more than 128 deep/);
    instead(/^\/metadata-schemas\//, (response) => void head(response, 'application/json').end(`{"slug":"deep.v1","json_schema":${deep}}`));
    await failed('unexpected_answer', /more than 128 deep/);
  });

  test('follows no redirect, and sends nothing to where it leads', async () => {
    const heard: string[] = [];
    const elsewhere = createServer((request, response) => {
      heard.push(`${request.url} ${request.headers.authorization}`);
      response.end('{}');
    });
    await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    old.seal({ name: 'redirected', files: { a: 'redirected' } });
    for (const status of [301, 302, 307, 308]) {
      instead(/./, (response, url) => void response.writeHead(status, { location: location + url }).end());
      await ended('unexpected_answer', /it redirects to http:.*, and requests with a token are not sent on/);
    }
    instead(/\/download$/, (response, url) => void response.writeHead(302, { location: location + url }).end());
    await failed('unexpected_answer', /it redirects to/);
    assert.deepEqual(heard, []);
    elsewhere.close();
  });

  test('a mirror is not led in circles by a log', async () => {
    old.seal({ name: 'log', files: { a: 'log' } });
    const event = { sequence: 1, event_type: 'v1.package.finalized', subject_id: [...old.packages.keys()][0]! };
    for (const log of [
      { items: [event], last_sequence: 9, next_since: 9 },
      { items: [], last_sequence: 9, next_since: 3 },
      { items: [event], last_sequence: 9, next_since: 9.5 },
    ]) {
      let asked = 0;
      instead(/^\/events\?/, (response, url) => {
        asked += 1;
        const first = url.includes('wait=0') ? { items: [], last_sequence: 9, next_since: 9 } : log;
        head(response, 'application/cbor').end(encodeCbor(first));
      });
      const own = source();
      const following = followSource(own, createImporter(own, target), {
        signal: AbortSignal.timeout(20_000),
        onImported: () => undefined,
      });
      await assert.rejects(following, (error) => {
        assert.ok(isArtifactstoreError(error, 'unexpected_answer'), String(error));
        assert.match(error.message, /The log after event 9 continues after event \S+: it leads nowhere/);
        return true;
      });
      assert.equal(asked, 2);
    }
  });
});

/** Sends without end, as long as somebody reads. */
async function flood(response: ServerResponse, beginning: string): Promise<void> {
  async function* endless(): AsyncIterable<Uint8Array> {
    yield Buffer.from(beginning);
    const chunk = Buffer.alloc(1_048_576, 'x');
    for (;;) yield chunk;
  }
  await pipeline(endless(), response).catch(() => undefined);
}

async function drip(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write(' ');
    await sleep(50);
  }
}

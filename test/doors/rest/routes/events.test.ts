import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity } from '../../../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../../../src/identity/open.ts';
import type { Principal } from '../../../../src/kernel/access.ts';
import { decodeCbor } from '../../../../src/kernel/format/cbor.ts';
import type { EventPage, EventRecord } from '../../../../src/registry/REGISTRY.ts';
import { assertProblem, authorization, type Door, drain, openDoor, token, until } from '../open-door.ts';

const sse = { accept: 'text/event-stream' };

test('a page is CBOR by default and JSON by Accept, of one value', async () => {
  await using door = await openDoor();
  for (let index = 0; index < 3; index++) await door.newPackage();
  const cbor = await door.call('/events?limit=5');
  assert.equal(cbor.headers.get('content-type'), 'application/cbor');
  const value = decodeCbor(new Uint8Array(await cbor.arrayBuffer())) as unknown as EventPage;
  const json = (await (await door.call('/events?limit=5', { headers: { accept: 'application/json' } })).json()) as EventPage;
  assert.deepEqual(JSON.parse(JSON.stringify(value)), json);
  assert.deepEqual(
    json.items.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5],
  );
  assert.equal(json.last_sequence, 6);
  const filtered = (await (
    await door.call('/events?since=2&event_type=v1.package.created', { headers: { accept: 'application/json' } })
  ).json()) as EventPage;
  assert.deepEqual(
    filtered.items.map(({ sequence }) => sequence),
    [3, 5],
  );
});

test('a page that would be empty waits for an event', async () => {
  await using door = await openDoor();
  const waiting = door.call('/events?since=0&wait=30', { headers: { accept: 'application/json' } });
  await inFlight(door, 1);
  await door.newPackage();
  const { items } = (await (await waiting).json()) as EventPage;
  assert.equal(items[0]?.sequence, 1);
});

test('readers that wait, and streams, are let go when the server stops', async () => {
  const door = await openDoor();
  const polls = ['application/json', 'application/cbor'].map((accept) => door.call('/events?wait=60', { headers: { accept } }));
  const stream = await door.call('/events', { headers: sse });
  const reading = stream.text();
  await inFlight(door, 3);
  await door[Symbol.asyncDispose]();
  for (const poll of polls) assert.equal((await poll).status, 200);
  assert.match(await reading, /^: /);
});

test('a client that stops waiting is let go', async () => {
  await using door = await openDoor();
  const controller = new AbortController();
  const waiting = door.call('/events?wait=60', { signal: controller.signal });
  await inFlight(door, 1);
  controller.abort();
  await assert.rejects(waiting);
  await until(() => door.lines.some((line) => line.includes('"route":"/events"')));
});

test('a stream tells every event once, in order, from where the reader was', async () => {
  await using door = await openDoor({ limits: { heartbeat: 1000 } });
  await door.newPackage();
  const first = readStream(await door.call('/events?since=1', { headers: sse }));
  const second = readStream(await door.call('/events?since=0', { headers: { ...sse, 'last-event-id': '2' } }));
  const only = readStream(await door.call('/events?event_type=v1.package.created', { headers: sse }));
  for (let index = 0; index < 3; index++) await door.newPackage();
  await until(() => first.events.length >= 7 && second.events.length >= 6 && only.events.length >= 4);
  assert.deepEqual(
    first.events.map(({ sequence }) => sequence),
    [2, 3, 4, 5, 6, 7, 8],
  );
  assert.deepEqual(
    second.events.map(({ sequence }) => sequence),
    [3, 4, 5, 6, 7, 8],
  );
  assert.deepEqual(
    only.events.map(({ sequence }) => sequence),
    [1, 3, 5, 7],
  );
  const { items } = await door.registry.events.page({ since: 1 });
  assert.deepEqual(first.events, JSON.parse(JSON.stringify(items)));
  assert.match(first.text(), /^id: 2\nevent: v1\.retention\.default_applied\ndata: \{/m);
  for (const reader of [first, second, only]) await reader.cancel();
});

test('an idle stream is kept alive by comments', async () => {
  await using door = await openDoor({ limits: { heartbeat: 1000 } });
  const reader = readStream(await door.call('/events', { headers: sse }));
  await until(() => /\n:\n\n/.test(reader.text()));
  await reader.cancel();
});

test('a reader that does not read holds up nobody, and is let go when it is silent for too long', async () => {
  await using door = await openDoor({ limits: { idleTimeout: 300 } });
  const metadata = { filler: 'x'.repeat(500_000) };
  for (let index = 0; index < 30; index++)
    await door.registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', metadata });
  const socket = await door.connect();
  socket.pause();
  socket.write(`GET /events HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\naccept: text/event-stream\r\n\r\n`);
  const line = await until(() => door.lines.find((one) => one.includes('"route":"/events"') && one.includes('"msg":"request"')));
  const { bytes_out, unfinished } = JSON.parse(line) as { bytes_out: number; unfinished: boolean };
  assert.equal(unfinished, true);
  assert.ok(bytes_out < 30 * 500_000);
  socket.resume();
  await drain(socket);
});

test('a reader of one producer is shown its own part, and where to go on', async () => {
  const reader: Principal = { actor: 'reader', share: 'reader', grants: [{ role: 'reader', producers: [{ exact: 'p' }] }] };
  const ofServer = await openIdentity({ tokens: [{ token, actor: 'a' }] });
  const identity: Identity = {
    ...ofServer,
    identify: (shown) => (shown === 'reader' ? { principal: reader, by: 'token of the test', expiresAt: null } : ofServer.identify(shown)),
  };
  await using door = await openDoor({ identity, limits: { heartbeat: 1000 } });
  const asReader = { authorization: 'Bearer reader' };
  const others = async (): Promise<void> =>
    void (await door.registry.packages.create({ name: 'n', producer: 'q', subject: 's', retention_class: 'transient' }));
  await door.newPackage();
  await others();
  const page = async (query: string): Promise<EventPage> =>
    (await (await door.call(`/events?${query}`, { headers: { ...asReader, accept: 'application/json' } })).json()) as EventPage;
  const first = await page('since=0');
  assert.deepEqual(
    first.items.map(({ sequence, chain_digest }) => [sequence, chain_digest]),
    [
      [1, null],
      [2, null],
    ],
  );
  assert.deepEqual([first.next_since, first.last_sequence], [4, 4]);
  assert.deepEqual(await page('since=2'), { items: [], next_since: 4, last_sequence: 4 });

  const polling = page('since=4&wait=30');
  const stream = readStream(await door.call('/events?since=4', { headers: { ...sse, ...asReader } }));
  await others();
  // What it was not shown is behind it, all the same.
  await until(() => /^:\nid: 6\n\n/m.test(stream.text()));
  await door.newPackage();
  assert.deepEqual(
    (await polling).items.map(({ sequence }) => sequence),
    [7, 8],
  );
  await until(() => stream.events.length === 2);
  assert.deepEqual(
    stream.events.map(({ sequence }) => sequence),
    [7, 8],
  );
  await stream.cancel();
});

test('a grant that is withdrawn ends what waits: a page is as of now, a stream ends, a token that is gone is refused', async () => {
  const may = (producer: string): Principal => ({
    actor: 'reader',
    share: 'reader',
    grants: [{ role: 'reader', producers: [{ exact: producer }] }],
  });
  const ofServer = await openIdentity({ tokens: [{ token, actor: 'a' }] });
  let reader: Principal | undefined = may('p');
  const identity: Identity = {
    ...ofServer,
    identify: (shown) =>
      shown === 'reader' && reader !== undefined
        ? { principal: reader, by: 'token of the test', expiresAt: null }
        : ofServer.identify(shown),
  };
  await using door = await openDoor({ identity, limits: { heartbeat: 30_000 } });
  const asReader = { authorization: 'Bearer reader' };
  const poll = (since: number): Promise<Response> =>
    door.call(`/events?since=${since}&wait=30`, { headers: { ...asReader, accept: 'application/json' } });
  const both = async (since: number, count = 2): Promise<[Promise<Response>, Promise<string>]> => {
    const waiting = poll(since);
    const stream = await door.call(`/events?since=${since}`, { headers: { ...sse, ...asReader } });
    await inFlight(door, count);
    return [waiting, stream.text()];
  };
  const [page, streamed] = await both(0);
  // The same grants, read again: nothing ends.
  reader = may('p');
  await door.newPackage();
  assert.equal(((await (await page).json()) as EventPage).items.length > 0, true);
  const [narrowed, ended] = await both(2, 3);
  reader = may('other');
  await door.newPackage();
  assert.deepEqual(await (await narrowed).json(), { items: [], next_since: 4, last_sequence: 4 });
  assert.doesNotMatch(await ended, /event:/);
  assert.doesNotMatch(await streamed, /id: [34]\n/);
  reader = may('p');
  const [refused, cut] = await both(4);
  reader = undefined;
  await door.newPackage();
  await assertProblem(await refused, 401, 'unauthorized');
  assert.doesNotMatch(await cut, /event:/);
});

async function inFlight(door: Door, count: number): Promise<void> {
  for (;;) {
    const text = await door.door.metrics.render();
    if (new RegExp(`^artifactstore_http_requests_in_flight ${count}$`, 'm').test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface StreamReader {
  readonly events: readonly EventRecord[];
  text(): string;
  cancel(): Promise<void>;
}

function readStream(response: Response): StreamReader {
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const events: EventRecord[] = [];
  let text = '';
  let parsed = 0;
  const pump = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf('\n\n', parsed); end >= 0; end = text.indexOf('\n\n', parsed)) {
        const data = /^data: (.*)$/m.exec(text.slice(parsed, end))?.[1];
        if (data !== undefined) events.push(JSON.parse(data) as EventRecord);
        parsed = end + 2;
      }
    }
  };
  pump().catch(() => {});
  return { events, text: () => text, cancel: () => reader.cancel().catch(() => {}) };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeCbor } from '../../../../src/kernel/format/cbor.ts';
import type { EventRecord, Registry } from '../../../../src/registry/REGISTRY.ts';
import { type Door, openDoor } from '../open-door.ts';

/** A package of 900 files with these annotations: its sealing is an event of 300 kB, and 900 times what they are. */
async function sealLong(door: Door, annotations: Readonly<Record<string, string>>): Promise<string> {
  const { id } = await door.newPackage();
  const put = await (await door.call(`/packages/${id}/files/0`, { method: 'PUT', body: 'hello' })).json();
  const { content_address, size_bytes } = put as { content_address: string; size_bytes: number };
  const items = Array.from({ length: 900 }, (_, index) => ({
    relative_path: `ü/${index}`,
    content_address,
    size_bytes,
    annotations,
  }));
  await door.registry.files.attach(id, items);
  await door.registry.packages.finalize(id);
  return id;
}

test('the sealing of many files comes as JSON and in a stream as the registry has it', async () => {
  // Made at once, the value of a page holds up everybody else for seconds.
  const page = (): never => assert.fail('the value of a whole page was made');
  const wrap = (registry: Registry): Registry => ({ ...registry, events: { ...registry.events, page } });
  await using door = await openDoor({ wrap });
  const follower = new AbortController();
  const accept = { accept: 'text/event-stream' };
  const following = await door.call('/events?event_type=v1.package.finalized', { headers: accept, signal: follower.signal });
  const waiting = door.call('/events?event_type=v1.package.finalized&wait=30', { headers: { accept: 'application/json' } });
  const id = await sealLong(door, { a: 'x'.repeat(500) });
  const query = { event_type: 'v1.package.finalized', subject_id: id } as const;
  const { items } = await door.registry.events.page(query);
  assert.deepEqual(((await (await waiting).json()) as { items: unknown }).items, items);
  assert.deepEqual(await firstEvent(following), items[0]);
  follower.abort();

  const path = `/events?event_type=v1.package.finalized&subject_id=${id}`;
  const answer = await door.call(path, { headers: { accept: 'application/json' } });
  const later = new AbortController();
  const stream = await door.call(path, { headers: accept, signal: later.signal });
  const asJson = (await answer.json()) as { items: readonly EventRecord[] };
  const event = await firstEvent(stream);
  later.abort();
  assert.deepEqual(asJson.items, items);
  assert.deepEqual(event, items[0]);
});

test('the sealing that is longer than a page is read and sent in stretches', async () => {
  const pages: number[] = [];
  const payloads: number[] = [];
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    events: {
      ...registry.events,
      async encodedPage(query, signal) {
        const page = await registry.events.encodedPage(query, signal);
        pages.push(page.bytes.length);
        if (page.long !== null) payloads.push(page.long.size_bytes);
        return page;
      },
    },
  });
  await using door = await openDoor({ wrap });
  const text = { headers: { accept: 'text/event-stream' } };
  const following = await door.call('/events?event_type=v1.package.finalized', text);
  const id = await sealLong(door, Object.fromEntries(Array.from({ length: 6 }, (_, key) => [key, 'ü'.repeat(500)])));
  const path = `/events?event_type=v1.package.finalized&subject_id=${id}`;
  const page = await door.registry.events.page({ event_type: 'v1.package.finalized', subject_id: id });
  const expected = JSON.parse(JSON.stringify(page));

  const asCbor = await door.call(path);
  const bytes = await asCbor.bytes();
  assert.deepEqual(decodeCbor(bytes), expected);
  assert.equal(asCbor.headers.get('content-length'), String(bytes.length));
  for (const wait of ['', '&wait=1']) {
    const asJson = await door.call(`${path}${wait}`, { headers: { accept: 'application/json' } });
    assert.equal(asJson.headers.get('vary'), 'accept');
    assert.deepEqual(await asJson.json(), expected);
  }
  assert.deepEqual(await firstEvent(await door.call(path, text)), expected.items[0]);
  assert.deepEqual(await firstEvent(following), expected.items[0]);

  assert.ok(Math.max(...pages) < 1_000, 'no page has a payload that is longer than a page');
  assert.equal(payloads.length, 5);
  assert.ok(payloads[0]! > 4_194_304, 'the payload has more than one stretch');
});

test('whoever was cut off when the server stopped has nothing more read for it', async () => {
  const gate = Promise.withResolvers<void>();
  let reads = 0;
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    events: {
      ...registry.events,
      async encodedPage(query, signal) {
        const page = await registry.events.encodedPage(query, signal);
        const { long } = page;
        if (long === null) return page;
        const read = async (from: number): Promise<Uint8Array> => {
          reads += 1;
          await gate.promise;
          return await long.read(from);
        };
        return { ...page, long: { ...long, read } };
      },
    },
  });
  await using door = await openDoor({ wrap, limits: { graceTimeout: 100 } });
  const id = await sealLong(door, Object.fromEntries(Array.from({ length: 6 }, (_, key) => [key, 'ü'.repeat(500)])));
  const readers: Promise<unknown>[] = [];
  for (const type of ['application/json', 'application/cbor', 'text/event-stream'])
    for (let count = 0; count < 3; count++) {
      const path = `/events?event_type=v1.package.finalized&subject_id=${id}`;
      const answer = door.call(path, { headers: { accept: type } }).then(async (response) => await response.bytes());
      readers.push(answer.catch(() => undefined));
    }
  while (reads < 2) await sleep(10);
  await sleep(200);
  const before = reads;
  assert.ok(before < readers.length, 'some wait for their turn');
  await door.door.close();
  await door.store.close();
  gate.resolve();
  await Promise.all(readers);
  await sleep(200);
  assert.equal(reads, before);
  const errors = door.lines.filter((line) => line.includes('"level":50'));
  assert.deepEqual(errors, []);
});

async function firstEvent(response: Response): Promise<unknown> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const found = /^id: (\d+)\nevent: v1\.package\.finalized\ndata: (.*)\n\n/m.exec(text);
    if (found === null) continue;
    const event = JSON.parse(found[2]!) as EventRecord;
    assert.equal(String(event.sequence), found[1]);
    return event;
  }
  throw new Error(`The stream ended after ${text.slice(0, 200)}`);
}

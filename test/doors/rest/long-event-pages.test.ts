import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord, Registry } from '../../../src/registry/REGISTRY.ts';
import { type Door, openDoor } from './open-door.ts';

/** A package whose sealing is an event of about a megabyte. */
async function sealLong(door: Door): Promise<string> {
  const { id } = await door.newPackage();
  const put = await (await door.call(`/packages/${id}/files/0`, { method: 'PUT', body: 'hello' })).json();
  const { content_address, size_bytes } = put as { content_address: string; size_bytes: number };
  const items = Array.from({ length: 900 }, (_, index) => ({
    relative_path: `ü/${index}`,
    content_address,
    size_bytes,
    annotations: { a: 'x'.repeat(500) },
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
  const id = await sealLong(door);
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

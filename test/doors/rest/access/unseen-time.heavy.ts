import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { chunks } from '../../../../src/registry/conformance/samples.ts';
import { openDoor } from '../open-door.ts';
import { createPrincipals } from './principals.ts';

const rounds = 400;
const others = 60;

/** Says more of what each of many costs than a mean, of which one pause of the machine is a part. */
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;

test('that another producer has some bytes, no answer tells by the time that it takes', async () => {
  const callers = createPrincipals();
  const token = callers.tokenOf({ actor: 'who', share: 'who', grants: [{ role: 'writer', producers: [{ exact: 'mine' }] }] });
  await using door = await openDoor({ identity: callers.identity });
  const create = async (producer: string): Promise<string> =>
    (await door.registry.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' })).record.id;
  const theirs = await create('theirs');
  const mine = await create('mine');
  const addressOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  // Each is asked for a few times only: an answer that is kept would be as fast for either.
  const there = Array.from({ length: others }, () => randomBytes(100_000));
  for (const [index, bytes] of there.entries()) await door.registry.files.add(theirs, { relative_path: `${index}`, body: chunks(bytes) });
  const kinds = { there: there.map(addressOf), nowhere: there.map(() => addressOf(randomBytes(100))) };

  const asks: Readonly<Record<string, (address: string) => Promise<Response>>> = {
    object: (address) => ask(`/objects/${address}`),
    'files with a digest': (address) => ask(`/files?digest=${address}`),
    attaching: (address) =>
      ask(`/packages/${mine}/files`, { items: [{ relative_path: 'attached', content_address: address, size_bytes: 100_000 }] }),
  };
  async function ask(path: string, body?: unknown): Promise<Response> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return await fetch(`${door.url}${path}`, { ...post, headers: { authorization: `Bearer ${token}`, ...json } });
  }

  async function compared(what: string, send: (address: string) => Promise<Response>): Promise<readonly [known: number, unknown: number]> {
    const times: Record<keyof typeof kinds, number[]> = { there: [], nowhere: [] };
    const answers = { there: new Set<string>(), nowhere: new Set<string>() };
    // In turns, so that whatever else this machine does is a part of both.
    for (let round = 0; round < rounds; round++)
      for (const kind of round % 2 === 0 ? (['there', 'nowhere'] as const) : (['nowhere', 'there'] as const)) {
        const began = performance.now();
        const response = await send(kinds[kind][round % others]!);
        const text = await response.text();
        times[kind].push(performance.now() - began);
        answers[kind].add(`${response.status} ${text.length}`);
      }
    assert.deepEqual(answers.there, answers.nowhere, what);
    return [median(times.there), median(times.nowhere)];
  }

  for (const [what, send] of Object.entries(asks)) {
    const told: string[] = [];
    // What the machine does beside may be a difference once; one that the answers have is there each time.
    for (let time = 0; time < 3 && told.length === time; time++) {
      const [known, unknown] = await compared(what, send);
      if (known >= unknown * 1.25 || unknown >= known * 1.25)
        told.push(`${known} ms where others have it, ${unknown} ms where nobody does`);
    }
    assert.ok(told.length < 3, `${what}: ${told.join('; ')}`);
  }
});

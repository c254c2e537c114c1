import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredObject } from '../../src/dataplane/DATAPLANE.ts';
import { besideHeld } from '../../src/dataplane/held.ts';
import { formatAddress } from '../../src/kernel/content/address.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';

const bytes = Buffer.from('held bytes');
const object: StoredObject = {
  backendId: 'memory',
  objectKey: 'blake3/00/00/0000',
  sizeBytes: bytes.length,
  contentAddress: formatAddress('blake3', new Uint8Array(32)),
  digestSha256: '',
};

/** What is asked for, in its order, of a backend and of what is held; each has the bytes from a look on. */
async function looks(asked: Partial<StoredObject>, from: { readonly held?: number; readonly backend?: number }): Promise<string> {
  const trace: string[] = [];
  const has = (name: 'held' | 'backend') => {
    trace.push(name);
    return trace.length > (from[name] ?? 99);
  };
  const memory = openMemoryStorage({ id: 'memory' });
  await memory.put(
    object.objectKey,
    (async function* () {
      yield bytes;
    })(),
  );
  const beside = besideHeld(
    { ...memory, get: async (...input) => (has('backend') ? await memory.get(...input) : undefined) },
    { read: async () => (has('held') ? bytes : undefined) },
    { ...object, ...asked },
  );
  const reader = await beside.get(object.objectKey, { range: { first: 5, last: 9 } });
  if (reader !== undefined) {
    assert.equal(Buffer.concat(await Array.fromAsync(reader.body)).toString(), 'bytes');
    assert.equal(reader.sizeBytes, bytes.length);
  }
  return `${trace.join(' ')} ${reader === undefined ? 'nothing' : 'found'}`;
}

describe('bytes are looked for among those that are held', () => {
  it('first, then in the backend, then once more', async () => {
    assert.equal(await looks({}, { held: 0 }), 'held found');
    assert.equal(await looks({}, { backend: 0 }), 'held backend found');
    assert.equal(await looks({}, { held: 1 }), 'held backend held found');
    assert.equal(await looks({}, {}), 'held backend held nothing');
  });

  it('after the backend, when they are known to be there', async () => {
    assert.equal(await looks({ settled: true }, { backend: 0 }), 'backend found');
    assert.equal(await looks({ settled: true }, { held: 0 }), 'backend held found');
  });

  it('not at all, when they are too long', async () => {
    assert.equal(await looks({ sizeBytes: 262_145 }, { held: 0 }), 'backend nothing');
  });
});

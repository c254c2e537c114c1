import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blake3, toHex, utf8 } from '../../src/kernel/content/digest.ts';
import { decodeCbor, encodeCbor } from '../../src/kernel/format/cbor.ts';
import { canonicalJson, parseJson } from '../../src/kernel/format/json.ts';
import { chainStart, sealEvent } from '../../src/kernel/log/event.ts';
import { createdAt, manifest, newEvent } from './log/sample-events.ts';

test('a manifest goes through CBOR and JSON and comes back with the same bytes', () => {
  const bytes = encodeCbor(manifest);
  assert.deepEqual(decodeCbor(bytes), manifest);
  const json = canonicalJson(decodeCbor(bytes));
  assert.equal(canonicalJson(manifest), json);
  assert.deepEqual(encodeCbor(parseJson(utf8(json))), bytes);
});

test('the finalize event’s payload is the manifest, and its digest the manifest’s', () => {
  const event = sealEvent({ sequence: 0, chain_digest: chainStart }, createdAt, newEvent('v1.package.finalized'));
  assert.deepEqual(event.payload, encodeCbor(manifest));
  assert.equal(toHex(event.payload_digest), toHex(blake3(encodeCbor(manifest))));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseAddress } from '../../src/kernel/content/address.ts';
import { fromHex, toHex, utf8 } from '../../src/kernel/content/digest.ts';
import { comparePaths, parseRelativePath } from '../../src/kernel/content/path.ts';
import { decodeCbor, encodeCbor } from '../../src/kernel/format/cbor.ts';
import { canonicalJson, parseJson } from '../../src/kernel/format/json.ts';
import { subjectKinds } from '../../src/kernel/log/event.ts';
import { type ViewTables, viewKeys } from '../../src/kernel/views/view.ts';
import { eventTypes } from '../event-types.ts';
import { quoteVectors } from './quote.ts';
import { buildVectors, type Vectors } from './vectors.ts';

const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8');
const promised = JSON.parse(readFileSync(new URL('../../docs/format-vectors.json', import.meta.url), 'utf8')) as Vectors;

describe('format vectors', () => {
  it('are what this software writes', () => {
    assert.deepEqual(buildVectors(), promised);
  });

  it('are quoted in docs/format.md as they are', () => {
    assert.ok(page.includes(promised.manifest.digest));
    assert.equal(quoteVectors(page, promised), page);
  });

  it('decode to the values whose JSON stands beside them, and back', () => {
    for (const { jcs, cbor } of promised.cbor) {
      // Not with `parseJson`: it refuses whole numbers beyond ±(2^53-1), which the format knows.
      const value: unknown = JSON.parse(jcs);
      assert.equal(toHex(encodeCbor(value)), cbor, jcs);
      assert.equal(canonicalJson(decodeCbor(fromHex(cbor)!)), jcs);
    }
    const { jcs, cbor } = promised.manifest;
    assert.equal(toHex(encodeCbor(parseJson(utf8(jcs)))), cbor);
  });

  it('refuse what is not canonical', () => {
    for (const { cbor, why } of promised.cbor_refused)
      assert.throws(() => decodeCbor(fromHex(cbor)!), { code: 'integrity_failure' }, `${cbor}: ${why}`);
  });

  it('draw the lines of addresses and paths', () => {
    const { content_addresses, relative_paths } = promised;
    for (const text of content_addresses.legal) assert.equal(parseAddress(text), text);
    for (const text of content_addresses.refused) assert.throws(() => parseAddress(text), { code: 'invalid_address' }, text);
    for (const text of relative_paths.legal) assert.equal(parseRelativePath(text), text);
    for (const text of relative_paths.refused) assert.throws(() => parseRelativePath(text), { code: 'invalid_path' }, text);
    assert.deepEqual(relative_paths.ordered.toReversed().sort(comparePaths), relative_paths.ordered);
  });

  it('have every type of event and every view', () => {
    const seen = new Set(promised.log.map(({ event_type }) => event_type));
    for (const type of eventTypes) {
      assert.ok(seen.has(type), `${type} is not in the vectors`);
      assert.ok(page.includes(`\n- \`${type}\` (`), `docs/format.md does not say what ${type} carries`);
      assert.ok(page.includes(`\n- \`${type}\`: `), `docs/format.md does not say what ${type} does to the views`);
    }
    for (const kind of subjectKinds) assert.ok(promised.log.some(({ subject_kind }) => subject_kind === kind));
    for (const table of Object.keys(viewKeys) as (keyof ViewTables)[]) {
      assert.ok(promised.views[table].length > 0, `${table} has no row in the vectors`);
      for (const column of Object.keys(promised.views[table][0]!)) {
        const row = page.split(/\n(?=- |\n)/).find((item) => item.startsWith(`- \`${table}\` (`));
        assert.ok(row?.includes(`\`${column}\``), `docs/format.md does not name ${table}.${column}`);
      }
    }
  });
});

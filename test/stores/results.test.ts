import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { suite } from '../../src/certify/suite.ts';
import { storesDocument } from './results.ts';

describe('the results in docs/stores.md', () => {
  const text = readFileSync(storesDocument, 'utf8');
  const between = text.slice(text.indexOf('<!-- results of real stores: begin -->'), text.indexOf('<!-- results of real stores: end -->'));
  const sections = between.split(/^### /m).slice(1);
  const ids = new Set(suite.map(({ id }) => id));

  test('are of as many probes as there are, but for those that are named as newer', () => {
    const rows = between.split('\n').filter((line) => /^\| [^|]+ \| [^|]+ \| \d{4}-\d\d-\d\d \|/.test(line));
    assert.equal(sections.length, rows.length, 'a section for each row');
    const [, older = '', named = ''] =
      /Newer than the results of ([^:]+): ([^.]+(?:\.[a-z][^.]+)*)\./.exec(text.replaceAll(/\s+/g, ' ')) ?? [];
    const newer = [...named.matchAll(/`([^`]+)`/g)].map(([, id = '']) => id);
    assert.ok(newer.every((id) => ids.has(id)));
    for (const section of sections) {
      const name = section.split('\n')[0] ?? '';
      const counts = /of (\d+) probes (\d+) passed, (\d+) failed, (\d+) were answered .*? AWS, (\d+) were skipped/.exec(section) ?? [];
      const [all, ...parts] = counts.slice(1).map(Number);
      const isOlder = older.split(/,? and |, /).some((each) => each !== '' && name.startsWith(each));
      assert.equal(all, suite.length - (isOlder ? newer.length : 0), `${name}: run tools/stores/certify.ts`);
      assert.equal(
        parts.reduce((sum, part) => sum + part, 0),
        all,
        name,
      );
    }
  });

  test('name no probe that there is not', () => {
    for (const section of sections) for (const [, id = ''] of section.matchAll(/`([a-z]+\.[a-z0-9-]+)`/g)) assert.ok(ids.has(id), id);
  });
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { isTable, parseToml } from '../../src/protocol/toml.ts';

const text = `# a comment with [brackets]
title = "x = 1" # more
"a.b" = { one = 1, 'two' = [ 1, { three = 3 } ] }
big = 9007199254740993

[issuers.github]
issuer = """
[not.a.table]
key = 1
"""
dotted.key.here = 'literal # no comment'
moment = 1979-05-27 07:32:00

[[grants]]
claims = { "/a~1b" = ["x",
  # between
  "y"], "caf\\u00e9" = 1 }
[[grants]]
role = "äö" ; 
`.replace(' ; ', '');

test('each entry of a document is found at its line and column', () => {
  const document = parseToml(text);
  assert.ok('table' in document);
  const at = (path: readonly (string | number)[], part?: 'key' | 'value'): string => {
    const { line, column } = document.placeOf(path, part);
    return `${line}:${column}`;
  };
  assert.equal(at(['title']), '2:1');
  assert.equal(at(['title'], 'value'), '2:9');
  assert.equal(at(['a.b', 'two', 1, 'three'], 'value'), '3:43');
  assert.equal(at(['big'], 'value'), '4:7');
  assert.equal(at(['issuers', 'github']), '6:10');
  assert.equal(at(['issuers', 'github', 'dotted', 'key', 'here']), '11:12');
  assert.equal(at(['issuers', 'github', 'moment'], 'value'), '12:10');
  assert.equal(at(['grants', 0]), '14:3');
  assert.equal(at(['grants', 0, 'claims', '/a~1b', 1]), '17:3');
  assert.equal(at(['grants', 0, 'claims', 'café'], 'value'), '17:23');
  assert.equal(at(['grants', 1, 'role']), '19:1');
  // What has no place of its own is where that which holds it is.
  assert.equal(at(['grants', 1, 'claims', 'x']), '18:3');
  assert.equal(at(['nowhere']), '1:1');
  assert.equal(document.table.big, 9007199254740993n);
  assert.ok(isTable(document.table.issuers) && !isTable(document.table.grants) && !isTable(new Date(0)));
});

test('an entry is found after a million lines of comment', () => {
  const found = parseToml(`${'#\n'.repeat(1_000_000)}key = 1`);
  assert.ok('table' in found);
  assert.deepEqual(found.placeOf(['key']), { line: 1_000_001, column: 1 });
});

test('what is no document has a problem and its place', () => {
  assert.deepEqual(parseToml('a = 1\nb = \n'), { problem: 'Invalid TOML document: invalid value', place: { line: 2, column: 5 } });
  assert.ok('problem' in parseToml('a = 1\na = 2'));
  assert.ok('problem' in parseToml(`a = ${'['.repeat(40)}${']'.repeat(40)}`));
  for (const [text, advice] of [
    ['a = "b\nc = 1\n', /closing quote/],
    ['a = 10GB\n', /without a unit/],
    ['[a]\nb = 1\n[a]\nb = 1\n', /two brackets/],
    ['a = ["b" "c"]\n', /a comma, a quote/],
  ] as const) {
    const parsed = parseToml(text);
    assert.match('problem' in parsed ? parsed.problem : '', advice);
  }
});

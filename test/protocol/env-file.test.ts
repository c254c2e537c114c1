import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnvFile } from '../../src/protocol/env-file.ts';

test('reads plain lines, and leaves comments and empty lines alone', () => {
  const { values, problems } = parseEnvFile('# made by hand\n\nS3_REGION=auto\n  # more\nURL=http://store:9000/a?b=c#d\nEMPTY=\nLAST=x');
  assert.deepEqual(
    [...values],
    [
      ['S3_REGION', 'auto'],
      ['URL', 'http://store:9000/a?b=c#d'],
      ['EMPTY', ''],
      ['LAST', 'x'],
    ],
  );
  assert.deepEqual(problems, []);
});

test('names the line and the variable of what readers take differently, and never its value', () => {
  const lines: readonly (readonly [string, RegExp])[] = [
    ['A="hush"', /quotes/],
    ["A='hush'", /quotes/],
    ['A=`hush`', /quotes/],
    ['A=hush$HOME', /"\$"/],
    ['A=hush\\n', /backslash/],
    ['A=hush ', /white space/],
    ['A= hush', /white space/],
    ['A=hush #1', /comment/],
    ['A=hu\tsh', /control/],
    ['A=<no value>', /found nothing/],
  ];
  for (const [line, text] of lines) {
    const { problems } = parseEnvFile(`OK=1\n${line}\n`);
    assert.equal(problems.length, 1, line);
    assert.deepEqual([problems[0]!.line, problems[0]!.name], [2, 'A'], line);
    assert.match(problems[0]!.text, text);
    assert.doesNotMatch(problems[0]!.text, /hush/);
  }
});

test('says what is wrong with a line that is no NAME=value', () => {
  for (const [line, text] of [
    ['export A=1', /only a shell/],
    ['  A=1', /white space/],
    ['A =1', /before "="/],
    ['just words', /NAME=value/],
    ['1A=1', /NAME=value/],
    ['=1', /NAME=value/],
  ] as const) {
    const { values, problems } = parseEnvFile(line);
    assert.equal(values.size, 0);
    assert.match(problems[0]!.text, text, line);
    assert.equal(problems[0]!.name, text.source === 'NAME=value' ? undefined : 'A', line);
  }
});

test('tells of a byte order mark, of carriage returns once, and of names that are there twice', () => {
  const { values, problems } = parseEnvFile('\ufeffA=1\r\nB=2\r\nA=3\r\n');
  assert.deepEqual(
    [...values],
    [
      ['A', '3'],
      ['B', '2'],
    ],
  );
  assert.deepEqual(
    problems.map(({ line, text }) => [line, text.split(' ').slice(0, 2).join(' ')]),
    [
      [1, 'begins with'],
      [1, 'ends with'],
      [3, 'is there'],
    ],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongError } from '../../src/cli/wrongs.ts';

const alike = (count: number) => Array.from({ length: count }, (_, index) => ({ line: index + 1, text: 'is not NAME=value' }));

test('lines that are wrong alike are said together, and those with a name each for itself', () => {
  const wrongs = [...alike(3), { line: 9, name: 'A', text: 'has quotes' }, { line: 10, name: 'B', text: 'has quotes' }, { text: 'more' }];
  const { message, code, info } = wrongError('F is wrong', wrongs, { info: { hint: 'write it' } });
  assert.equal(code, 'invalid_configuration');
  assert.equal(message, 'F is wrong:\n  lines 1, 2, 3: is not NAME=value\n  line 9, A: has quotes\n  line 10, B: has quotes\n  more');
  assert.deepEqual(info, { problem_count: 6, problems: wrongs, hint: 'write it' });
  assert.match(wrongError('F', alike(400), {}).message, /^F:\n {2}lines 1, 2, 3, 4, 5 and 395 more: is not NAME=value$/);
});

test('what does not fit on a screen is in the JSON, up to a bound', () => {
  const many = Array.from({ length: 2000 }, (_, index) => ({ name: `NAME_${index}`, text: index === 0 ? 'two\n  lines' : 'is not known' }));
  const { message, info } = wrongError('F', many, {}, ' ');
  const lines = message.split('\n');
  assert.equal(lines.length, 19);
  assert.deepEqual(lines.slice(1, 4), ['  NAME_0 two', '    lines', '  NAME_1 is not known']);
  assert.equal(lines.at(-1), '  and 1,984 lines more, which --json has');
  const { problem_count, problems } = info as { readonly problem_count: number; readonly problems: readonly unknown[] };
  assert.deepEqual([problem_count, problems.length], [2000, 1000]);
  assert.equal(wrongError('F', many.slice(1, 19), {}).message.split('\n').length, 19);
});

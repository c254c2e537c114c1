import assert from 'node:assert/strict';
import { test } from 'node:test';
import picocolors from 'picocolors';
import { printable, printableJson, printableMessage } from '../../../src/kernel/format/printable.ts';

/** Each hides, moves or reorders what a terminal shows. */
const hostile = [
  '\u001b[8m',
  '\u001b[30m',
  '\u001b[7m',
  '\u001b[38;5;0m',
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u009b8m',
  '\u0085',
  '\u007f',
  '\r',
  '\b',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u061c',
  '\u2028',
  '\u2029',
  '\u200b',
  '\ufeff',
  '\u00ad',
  '\u{e0041}',
];

test('what drives or deceives a terminal is shown as a mark', () => {
  for (const text of hostile) {
    const shown = printable(`a${text}b`);
    assert.match(shown, /^a\ufffd[ -~\ufffd]*b$/, JSON.stringify(text));
    assert.doesNotMatch(shown, /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  }
  for (const text of ['tab\tand\nline', 'Grüße 你好 שלום مرحبا', '👩‍👩‍👧', 'می‌خواهم', '\u001b[32mok\u001b[39m \u001b[1mhead\u001b[22m'])
    assert.equal(printable(text), text);
});

test('our own colours stay', () => {
  const { bold, dim, red, green, yellow, cyan } = picocolors.createColors(true);
  for (const paint of [bold, dim, red, green, yellow, cyan]) assert.equal(printable(paint('text')), paint('text'));
});

test('in a message of ours there are no colours of others, and no line that looks like another message', () => {
  for (const text of [...hostile, '\u001b[31m', '\u001b[1m', '\nerror: other', '\n']) {
    const shown = printableMessage(`a${text}b`);
    assert.match(shown, /^a\ufffd[ -~\ufffd]*b$/, JSON.stringify(text));
  }
  assert.equal(printableMessage('Wrong:\n  line 1\tx\n  line 2'), 'Wrong:\n  line 1\tx\n  line 2');
});

test('JSON says the same without them', () => {
  for (const text of hostile) {
    const json = printableJson(JSON.stringify({ [text]: [text] }));
    assert.doesNotMatch(json, /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b\ufeff\u00ad\u{e0000}-\u{e007f}]/u, JSON.stringify(text));
    assert.deepEqual(JSON.parse(json), { [text]: [text] });
  }
});

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createOutput } from '../../../src/cli/terminal/output.ts';
import { createProgressLine } from '../../../src/cli/terminal/progress-line.ts';
import { ArtifactstoreError } from '../../../src/kernel/error.ts';

/** What is written when both streams are terminals, or neither is. */
function spoken(
  isTTY: boolean,
  json: boolean,
  speak: (output: ReturnType<typeof createOutput>) => void,
): { readonly out: string; readonly err: string } {
  const stream = () => Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream & PassThrough;
  const [stdout, stderr] = [stream(), stream()];
  speak(createOutput({ stdout, stderr, environment: {}, json, quiet: false, color: true }));
  const text = (from: PassThrough) => (from.read() as Uint8Array | null)?.toString() ?? '';
  return { out: text(stdout), err: text(stderr) };
}

test('text of others can not drive the terminal; our colours stay', () => {
  const { out } = spoken(true, false, (output) => output.line(`${output.colors.green('ok')} \u001b[2J\u001b]0;title\u0007 \u009b31m\ttab`));
  assert.equal(out, '\u001b[32mok\u001b[39m \ufffd[2J\ufffd]0;title\ufffd \ufffd31m\ttab\n');
});

/** Everything that drives a terminal or deceives its reader, in odd company. */
function* hostileTexts(count: number): Generator<string> {
  const parts = [
    '\u001b[8m',
    '\u001b[',
    '\u001b',
    '\u001b]8;;x\u001b\\',
    '\u009b8m',
    '\u009d',
    '\u0090',
    '\r',
    '\b',
    '\u0000',
    '\u007f',
    '\u0085',
  ];
  const more = [
    '\u202e',
    '\u2066',
    '\u200e',
    '\u061c',
    '\u2028',
    '\u2029',
    '\u200b',
    '\ufeff',
    '\u{e0041}',
    '\ud800',
    '\udc00',
    'a',
    '8m',
    '[',
    '31m',
    '\n',
  ];
  const all = [...parts, ...more];
  let seed = 1;
  for (let made = 0; made < count; made += 1) {
    let text = '';
    for (let length = 0; length < 6; length += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      text += all[seed % all.length]!;
    }
    yield text;
  }
}

test('whatever others say, by whichever way: nothing drives or deceives the terminal', async () => {
  const stream = () => Object.assign(new PassThrough(), { isTTY: true, columns: 80 }) as unknown as NodeJS.WriteStream & PassThrough;
  for (const text of hostileTexts(500))
    for (const json of [false, true]) {
      const [stdout, stderr] = [stream(), stream()];
      const output = createOutput({ stdout, stderr, environment: {}, json, quiet: false, color: false });
      using progress = createProgressLine(output);
      progress.show(() => text);
      output.line(text);
      output.text(JSON.stringify({ text }));
      output.value({ [text]: text });
      output.note(text);
      output.warn(text);
      output.error(new ArtifactstoreError('internal', text, { field: text, info: { hint: text, more: [text] } }));
      output.error(new Error(text));
      await output.table(['ONE', 'TWO'], [[text, text]]);
      const said = [stdout, stderr].map((from) => (from.read() as Uint8Array | null)?.toString() ?? '').join('');
      // Our own: colours, and the clearing of a line of progress.
      const own = ['\r\u001b[2K', ...['1', '2', '22', '31', '39'].map((code) => `\u001b[${code}m`)];
      const left = own.reduce((rest, each) => rest.replaceAll(each, ''), said);
      assert.doesNotMatch(left, /[^\P{Cc}\t\n]|[\p{Bidi_Control}\u2028\u2029\u200b\ufeff\u{e0000}-\u{e007f}]/u, JSON.stringify(text));
    }
});

test('an error is a line with its code and a hint, or one JSON object', () => {
  const error = new ArtifactstoreError('unauthorized', 'No token.', { field: 'authorization' });
  const { err } = spoken(false, false, (output) => output.error(error));
  assert.match(err, /^error: No token\. \(unauthorized\)\nhint: set ARTIFACTSTORE_API_TOKEN/);
  const asJson = spoken(false, true, (output) => {
    output.note('left out');
    output.error(error);
  });
  assert.deepEqual(Object.keys(JSON.parse(asJson.err) as object), ['code', 'field', 'detail', 'hint']);
});

test('what a message or a hint is about brings no colours, and no message of its own', () => {
  const path = 'a\u001b[31m\nerror: b';
  const { err } = spoken(false, false, (output) =>
    output.error(new ArtifactstoreError('internal', `Wrong:\n  "${path}"`, { info: { hint: `look at ${path}` } })),
  );
  assert.equal(err, 'error: Wrong:\n  "a\ufffd[31m\ufffderror: b" (internal)\nhint: look at a\ufffd[31m\ufffderror: b\n');
  const warned = spoken(true, false, (output) => {
    output.warn('warning: a\u001b[31m');
    output.note('note: a\u001b[31m');
    output.error(new Error('a'));
  });
  assert.equal(warned.err, 'warning: a\ufffd[31m\nnote: a\ufffd[31m\n\u001b[31merror:\u001b[39m a \u001b[2m(internal)\u001b[22m\n');
});

test('a line of progress goes to the terminal of standard error, and nowhere without one', () => {
  const show = (output: ReturnType<typeof createOutput>) => {
    using line = createProgressLine(output);
    line.show(() => '1 of 2');
  };
  assert.deepEqual(spoken(true, false, show), { out: '', err: '\r\u001b[2K1 of 2\r\u001b[2K' });
  for (const [isTTY, json] of [
    [false, false],
    [true, true],
  ] as const)
    assert.deepEqual(spoken(isTTY, json, show), { out: '', err: '' });
});

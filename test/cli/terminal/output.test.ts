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

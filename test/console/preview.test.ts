import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedTests } from '../../console/preview/junit.ts';
import { imageType, previewKind } from '../../console/preview/kind.ts';
import { parseMarkdown } from '../../console/preview/markdown.ts';
import { pdfFacts } from '../../console/preview/pdf-facts.ts';
import { summaryOf } from '../../console/preview/summary.ts';

test('a file is shown by its type, and what could act is shown as text or not at all', () => {
  for (const [type, path, kind] of [
    ['text/plain', 'a', 'text'],
    ['TEXT/HTML; charset=utf-8', 'a.html', 'text'],
    ['application/xhtml+xml', 'a', 'text'],
    ['application/json', 'a', 'json'],
    ['application/vnd.cyclonedx+json', 'a', 'json'],
    ['application/octet-stream', 'a.json', 'json'],
    ['application/octet-stream', 'build.log', 'text'],
    ['text/markdown', 'a', 'markdown'],
    ['application/octet-stream', 'README.md', 'markdown'],
    ['image/svg+xml', 'a.svg', 'image'],
    ['image/png', 'a', 'image'],
    ['image/x-unknown', 'a', 'none'],
    ['application/pdf', 'a.pdf', 'pdf'],
    ['application/octet-stream', 'a.PDF', 'pdf'],
    ['application/octet-stream', 'a.bin', 'none'],
    ['', '', 'none'],
  ] as const)
    assert.equal(previewKind(type, path), kind, `${type} ${path}`);
  assert.equal(imageType('image/SVG+xml;x=1'), 'image/svg+xml');
  assert.equal(imageType('text/html'), 'application/octet-stream');
});

test('Markdown becomes blocks and never HTML', () => {
  const blocks = parseMarkdown(
    '# A *title*\n\nTwo\nlines with `code` and **strong**, [here](javascript:alert(1)).\n\n- one\n- two\n\n1. first\n\n> said\n\n```sh\nrm -rf <b>\n```\n\n---\n<script>alert(1)</script>',
  );
  assert.deepEqual(
    blocks.map(({ kind }) => kind),
    ['heading', 'paragraph', 'list', 'list', 'quote', 'code', 'rule', 'paragraph'],
  );
  const [heading, paragraph, list, ordered, , code] = blocks;
  assert.deepEqual(heading, {
    kind: 'heading',
    level: 1,
    spans: [
      { kind: 'text', text: 'A ' },
      { kind: 'emphasis', text: 'title' },
    ],
  });
  assert.ok(
    paragraph?.kind === 'paragraph' && paragraph.spans.some(({ kind, target }) => kind === 'link' && target?.startsWith('javascript:')),
  );
  assert.ok(list?.kind === 'list' && !list.ordered && list.items.length === 2);
  assert.ok(ordered?.kind === 'list' && ordered.ordered);
  assert.deepEqual(code, { kind: 'code', text: 'rm -rf <b>' });
  assert.deepEqual(blocks.at(-1), { kind: 'paragraph', spans: [{ kind: 'text', text: '<script>alert(1)</script>' }] });
});

test('documents of known forms are summed up', () => {
  const junit =
    '<?xml version="1.0"?>\n<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase><testcase><skipped/></testcase><!-- <testcase/> --></testsuite></testsuites>';
  assert.deepEqual(
    summaryOf(junit)?.map(([, value]) => value),
    ['JUnit', '3', '1', '0', '1'],
  );
  // Some tools list the failures alone, or nothing: zero would then be a lie.
  for (const [document, figures] of [
    [
      '<testsuite tests="42" failures="1" errors="0" skipped="3"/>',
      ['42 stated, 0 listed', '1 stated, 0 listed', '0', '3 stated, 0 listed'],
    ],
    [
      '<testsuites tests="9"><testsuite tests="2" failures="0" name="a > b"><testsuite tests="2"/><testcase/></testsuite><testsuite tests="1" failures="0"><testcase/><testcase/></testsuite></testsuites>',
      ['3', '0', '0', '0'],
    ],
    ['<testsuites><testsuite tests="1"><testcase><failure/></testcase></testsuite><testsuite/></testsuites>', ['1', '1', '0', '0']],
  ] as const)
    assert.deepEqual(
      summaryOf(document)
        ?.slice(1)
        .map(([, value]) => value),
      figures,
      document,
    );
  const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', metadata: { component: { name: 'app', version: '2' } }, components: [{}, {}] };
  assert.deepEqual(
    summaryOf(JSON.stringify(bom))?.map(([, value]) => value),
    ['CycloneDX 1.6', 'app 2', '2'],
  );
  assert.deepEqual(
    summaryOf('{"spdxVersion":"SPDX-2.3","name":"app","packages":[{}]}')?.map(([, value]) => value),
    ['SPDX-2.3', 'app', '1'],
  );
  for (const other of ['', '{', '{}', '[1]', 'null', '<html>', '{"bomFormat":1}']) assert.equal(summaryOf(other), undefined, other);
});

test('a PDF says its version first, and its pages where it is whole and made to be read from its begin', () => {
  const of = (text: string, size = 100) => pdfFacts(Buffer.from(text, 'latin1'), size);
  const linear = '%PDF-1.7\n%âãÏÓ\n1 0 obj\n<</E 5/H [ 1 2 ]/L 100/Linearized 1/N 12/O 3/T 9>>\nendobj';
  assert.deepEqual(of(linear), { version: '1.7', pages: 12 });
  // Something was added to it since.
  assert.deepEqual(of(linear, 101), { version: '1.7', pages: undefined });
  assert.deepEqual(of('%PDF-1.4\n1 0 obj <</N 7/L 100>>'), { version: '1.4', pages: undefined });
  assert.deepEqual(of('%PDF-2.0\n<</Linearized 1/L 100/N 1.5>>'), { version: '2.0', pages: undefined });
  for (const text of ['', 'PDF-1.4', '<html>', `${' '.repeat(1_024)}%PDF-1.4`]) assert.equal(of(text), 'none');
});

test('a table of Markdown has its columns, and what only looks like one is text', () => {
  const words = (source: string) =>
    parseMarkdown(source).map((block) =>
      block.kind === 'table' ? block.rows.map((row) => row.map((cell) => cell.map(({ text }) => text).join(''))) : block.kind,
    );
  const source = 'Before\n| Case | Time |\n|:-----|----:|\n| `a \\| b` | 12 ms | too many |\n| **c** |\n\nAfter';
  assert.deepEqual(words(source), [
    'paragraph',
    [
      ['Case', 'Time'],
      ['a | b', '12 ms'],
      ['c', ''],
    ],
    'paragraph',
  ]);
  const [, table] = parseMarkdown(source);
  assert.ok(table?.kind === 'table');
  assert.deepEqual(table.sides, ['left', 'right']);
  assert.deepEqual(words('a | b\n- | :-:\n1 | 2\n> said'), [
    [
      ['a', 'b'],
      ['1', '2'],
    ],
    'quote',
  ]);
  for (const other of ['a | b', 'a | b\n---', '| a | b |\n|---|', 'a | b\nc | d', '| a |\n| = |'])
    assert.ok(!words(other).some(Array.isArray), other);
});

test('a JUnit report names the tests that failed, and what they say', () => {
  const report = `<testsuites><testsuite><testcase name="passes"/>
    <testcase classname='pkg.A' name="divides &lt;zero&gt;"><failure message="expected 1 &amp; got&#10;2">at a.ts</failure></testcase>
    <testcase name="breaks"><error type="X"><![CDATA[
      boom </testcase> <b>
      at b.ts]]></error></testcase>
    <!-- <testcase name="gone"><failure/></testcase> -->
    <testcase name="says > nothing"><failure/></testcase></testsuite></testsuites>`;
  assert.deepEqual(failedTests(report, 9), [
    { name: 'pkg.A divides <zero>', kind: 'failure', message: 'expected 1 & got\n2' },
    { name: 'breaks', kind: 'error', message: 'boom </testcase> <b>' },
    { name: 'says > nothing', kind: 'failure', message: '' },
  ]);
  assert.equal(failedTests(report, 2).length, 2);
  // What is cut or not XML ends soon, and names no more than there is.
  const begun = process.threadCpuUsage();
  for (const other of ['', '<testcase name="a"><failure>', `<failure a="${'<testcase b='.repeat(20_000)}`])
    assert.deepEqual(failedTests(other, 9), []);
  // Of this thread, in microseconds: other work on the machine is none of it.
  const { user, system } = process.threadCpuUsage(begun);
  assert.ok(user + system < 2_000_000, `${user} and ${system}`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable } from '../../../src/cli/terminal/table.ts';

const id = '01a1fa8d-e2f0-7f1e-9cff-1443cf9b7954';
const head = ['PROBLEM', 'FILE', 'DETAIL'];
const rows = [
  ['damaged', `logs/${'x'.repeat(50)}/報告.txt`, '3000002 bytes instead of 3000000, and some more words'],
  ['missing', 'a', 'there is no such file'],
];
const form = (columns: number | undefined) => ({ columns, bold: (text: string) => text });
const widthOf = (line: string) => [...line].reduce((sum, character) => sum + (character > '\u2e80' ? 2 : 1), 0);

test('a table is as wide as it is where nobody looks', async () => {
  const lines = (await formatTable(head, rows, form(undefined))).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1]!, /^damaged {2}logs\/x+\/報告\.txt {2}3000002 bytes/);
});

test('a table fits the terminal; what is wrapped is whole when its lines are put together', async () => {
  for (const columns of [120, 80, 60]) {
    const text = await formatTable(head, rows, form(columns));
    for (const line of text.split('\n')) assert.ok(widthOf(line) <= columns, `${columns}: ${line}`);
    const file = text.split('\n').map((line) => line.slice(9).split(/ {2}/)[0]);
    assert.ok(file.join('').includes(rows[0]![1]!), text);
  }
});

test('an id is never broken: where the columns do not fit, each row is a block', async () => {
  const packages = [
    [id, 'nightly', '2026-11-20T20:02:45.401Z'],
    [id, 'n'.repeat(70), '2026-11-20T20:02:45.401Z'],
  ];
  const wide = await formatTable(['ID', 'NAME', 'CREATED'], packages, form(80));
  assert.equal(wide.split('\n').filter((line) => line.includes(id)).length, 2);
  for (const line of wide.split('\n')) assert.ok(widthOf(line) <= 80, line);
  assert.equal(
    await formatTable(['ID', 'NAME', 'CREATED'], packages.slice(0, 1), form(50)),
    `ID       ${id}\nNAME     nightly\nCREATED  2026-11-20T20:02:45.401Z`,
  );
  for (const line of (await formatTable(['ID', 'NAME', 'CREATED'], packages, form(50))).split('\n')) assert.ok(widthOf(line) <= 50, line);
});

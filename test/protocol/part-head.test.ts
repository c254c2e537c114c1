import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUtf8, parseParameters, parsePartHead, shown } from '../../src/protocol/part-head.ts';

const head = (...lines: readonly string[]) => parsePartHead(lines.map((line) => Buffer.from(line)));
const named = (parameters: string) => {
  const parsed = head(`Content-Disposition: form-data; ${parameters}`);
  return 'fault' in parsed ? parsed.fault : parsed.filename;
};

test('a head gives the filename as its sender wrote it', () => {
  assert.equal(named('name="file"; filename="a/b.txt"'), 'a/b.txt');
  assert.equal(named('name=file;filename=a.txt'), 'a.txt');
  assert.equal(named('name="f"; filename="a \\"q\\" \\\\ ; = %41.txt"'), 'a "q" \\ ; = %41.txt');
  assert.equal(named('filename="ü 😀"'), 'ü 😀');
  assert.equal(named('filename="plain"; filename*=utf-8\'en\'%c3%bc%20x'), 'ü x');
  assert.equal(named('name="annotations"'), undefined);
  assert.equal(named('filename=""'), '');
});

test('other fields are kept by their names in lowercase', () => {
  const parsed = head('Content-DISPOSITION:form-data; name="x"', 'Content-Type:  text/plain; charset=utf-8 ');
  assert.ok(!('fault' in parsed));
  assert.deepEqual([parsed.name, parsed.fields.get('content-type')], ['x', 'text/plain; charset=utf-8']);
});

test('nothing is guessed', () => {
  for (const lines of [
    [],
    ['Content-Type: text/plain'],
    ['Content-Disposition: attachment; filename="a"'],
    ['Content-Disposition: form-data; filename="a" junk'],
    ['Content-Disposition: form-data; filename=a b'],
    ['Content-Disposition: form-data; filename="a"; filename="b"'],
    ['Content-Disposition: form-data; filename="a'],
    ["Content-Disposition: form-data; filename*=latin1''a"],
    ["Content-Disposition: form-data; filename*=utf-8''%ff"],
    ['Content-Disposition: form-data; filename="a"', 'Content-Disposition: form-data; filename="a"'],
    ['Content-Disposition: form-data; filename="a"', ' folded'],
    ['Content-Disposition: form-data; filename="a\nb"'],
    ['no header'],
  ])
    assert.ok('fault' in head(...lines), JSON.stringify(lines));
  const bad = parsePartHead([Buffer.from('Content-Disposition: form-data; filename="caf\xe9"', 'latin1')]);
  assert.match('fault' in bad ? bad.fault : '', /not UTF-8.*caf\\xe9/);
});

test('parameters, bytes and text', () => {
  assert.deepEqual(
    [...parseParameters('; Boundary="a;b"; charset=UTF-8')!],
    [
      ['boundary', 'a;b'],
      ['charset', 'UTF-8'],
    ],
  );
  assert.equal(parseParameters('; a'), undefined);
  assert.equal(decodeUtf8(Buffer.from([0xff])), undefined);
  assert.equal(decodeUtf8(Buffer.from('\ufeffü')), '\ufeffü');
  assert.equal(shown(Buffer.from('a\n\xff', 'latin1')), 'a\\x0a\\xff');
});

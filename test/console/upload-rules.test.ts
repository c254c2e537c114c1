import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterRefusal, firstPiece, nextPiece, waitBefore } from '../../console/upload/after-refusal.ts';
import { knownTypes, mediaTypeOf } from '../../console/upload/media-type.ts';
import { chosenOnce, clashesOf, placed, topFolder, wrongSegment } from '../../console/upload/paths.ts';
import { mediaTypeOf as asPush } from '../../src/protocol/media-type.ts';

test('a folder that holds everything can be left out, as push does', () => {
  assert.equal(topFolder(['results/a', 'results/b/c']), 'results');
  assert.equal(topFolder(['results/a', 'results.txt']), undefined);
  assert.equal(topFolder(['results', 'other/a']), undefined);
  assert.equal(topFolder([]), undefined);
  assert.equal(placed('results/b/c', { below: '', withoutTop: true }), 'b/c');
  assert.equal(placed('results/b/c', { below: ' /run 7/ ', withoutTop: false }), 'run 7/results/b/c');
});

test('what was chosen twice is one file, with all that have to be the same', () => {
  const of = (path: string, size: number, name: string) => ({ path, file: { size, name } });
  const first = [of('a', 1, 'first a'), of('b', 2, 'first b')];
  const second = chosenOnce(first, [of('a', 1, 'second a'), of('b', 3, 'longer b'), of('c', 1, 'c')]);
  assert.deepEqual(second, [{ ...first[0], again: [{ size: 1, name: 'second a' }] }, first[1], of('b', 3, 'longer b'), of('c', 1, 'c')]);
  const [third] = chosenOnce(chosenOnce([], [of('a', 1, 'zeroth a')]), second);
  assert.deepEqual([third?.file.name, third?.again?.map(({ name }) => name)], ['zeroth a', ['first a', 'second a']]);
  assert.deepEqual(chosenOnce([], first), first);
  assert.deepEqual([...clashesOf(['a', 'b', 'a', 'c', 'a'])], [['a', [0, 2, 4]]]);
});

test('what a browser would follow instead of sending is found', () => {
  for (const path of ['../a', 'a/../../b', './a', 'a//b', '/a', 'a/', '']) assert.notEqual(wrongSegment(path), undefined, path);
  for (const path of ['a', '...', '.a/..b', '%2e%2e/a', 'a\\..\\b']) assert.equal(wrongSegment(path), undefined, path);
});

test('what is about the moment is asked again, what is about the file is told', () => {
  const after = (code: string, status: number): string => afterRefusal({ code, status });
  assert.equal(after('unreachable', 0), 'wait');
  assert.equal(after('unexpected_answer', 502), 'wait');
  assert.equal(after('database_unavailable', 503), 'wait');
  assert.equal(after('unauthorized', 401), 'sign-in');
  assert.equal(after('upload_offset_mismatch', 409), 'ask');
  assert.equal(after('upload_not_found', 404), 'begin');
  for (const [code, status] of [
    ['path_conflict', 409],
    ['quota_exceeded', 403],
    ['invalid_path', 400],
    ['package_not_open', 409],
    ['storage_full', 507],
    ['internal', 500],
    ['upload_superseded', 409],
    ['unexpected_answer', 413],
    ['console_failed', 0],
  ] as const)
    assert.equal(after(code, status), 'tell', code);
});

test('attempts come slower and slower, pieces get longer where the line is fast', () => {
  assert.ok(waitBefore(0, 0.5) <= 500 && waitBefore(100, 1) < 20_000 && waitBefore(100, 0) > 10_000);
  let piece = firstPiece;
  for (let index = 0; index < 20; index++) piece = nextPiece(piece, 10);
  assert.equal(piece, 16_777_216);
  assert.equal(nextPiece(piece, 1_500), piece);
  for (let index = 0; index < 20; index++) piece = nextPiece(piece, 10_000);
  assert.equal(piece, 1_048_576);
});

test('a type is that of push where the browser may know another', () => {
  for (const [ending, type] of Object.entries(knownTypes)) assert.equal(asPush(`a/b.${ending}`), type, ending);
  assert.equal(mediaTypeOf('a/B.LOG', ''), 'text/plain');
  assert.equal(mediaTypeOf('a.log/b', ''), 'application/octet-stream');
  assert.equal(mediaTypeOf('.log', ''), asPush('.log'));
  assert.equal(mediaTypeOf('a.constructor', ''), 'application/octet-stream');
  assert.equal(mediaTypeOf('a.png', 'image/png'), 'image/png');
});

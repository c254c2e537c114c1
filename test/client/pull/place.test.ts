import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createPlacer, type Placer } from '../../../src/client/pull/place.ts';
import { blake3, sha256, toHex, utf8 } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { ManifestFile } from '../../../src/kernel/manifest.ts';
import { limits } from '../../../src/registry/limits.ts';

describe('placing files', () => {
  let directory: string;
  let root: string;
  let drafts: string;
  let placer: Placer;
  const isThere = async (file: ManifestFile): Promise<boolean> => (await placer.areThere([file]))[0]!;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-place-'));
    root = join(directory, 'root');
    drafts = join(root, '.drafts');
    mkdirSync(drafts, { recursive: true });
    placer = createPlacer(root, drafts);
  });
  afterEach(async () => {
    await placer[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const put = (file: ManifestFile, text: string) => placer.place(file, bodyOf(text), () => undefined);

  test('gives a file its name when every byte is right, and its executable bit', async () => {
    const file = describeFile('a/b/c', 'right', { mode: 'executable' });
    assert.equal(await isThere(file), false);
    await put(file, 'right');
    assert.equal(readFileSync(join(root, 'a/b/c'), 'utf8'), 'right');
    assert.notEqual(statSync(join(root, 'a/b/c')).mode & 0o100, 0);
    assert.equal(await isThere(file), true);
    assert.deepEqual(readdirSync(drafts), []);
  });

  test('gives no name to bytes that are wrong in length, in SHA-256 or in BLAKE3', async () => {
    const right = describeFile('a', 'right');
    for (const [file, text] of [
      [right, 'righ'],
      [right, 'wrong'],
      [{ ...right, digest_primary: '0'.repeat(64) }, 'right'],
      [{ ...right, digest_sha256: '0'.repeat(64) }, 'right'],
    ] as const) {
      await assert.rejects(put(file, text), (error) => isArtifactstoreError(error, 'integrity_failure'));
      assert.equal(existsSync(join(root, 'a')), false);
      assert.deepEqual(readdirSync(drafts), []);
    }
  });

  test('writes nowhere else, whatever a manifest says', async () => {
    for (const path of ['../out', 'a/../../out', '/tmp/out', 'a\\..\\out', '', '.', 'a//b'])
      await assert.rejects(put(describeFile(path, 'x'), 'x'), (error) => isArtifactstoreError(error, 'invalid_path'), path);
    assert.deepEqual(readdirSync(directory), ['root']);
  });

  test('follows no link: one on the way is refused, one at the place is replaced', async () => {
    mkdirSync(join(directory, 'outside'));
    writeFileSync(join(directory, 'outside', 'file'), 'theirs');
    symlinkSync(join(directory, 'outside'), join(root, 'link'));
    symlinkSync(join(directory, 'outside', 'file'), join(root, 'file'));
    await assert.rejects(put(describeFile('link/file', 'ours'), 'ours'), (error) => isArtifactstoreError(error, 'path_conflict'));
    assert.equal(await isThere(describeFile('link/file', 'theirs')), false);
    assert.equal(await isThere(describeFile('file', 'theirs')), false);
    await put(describeFile('file', 'ours'), 'ours');
    assert.equal(readFileSync(join(directory, 'outside', 'file'), 'utf8'), 'theirs');
    assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'ours');
  });

  test('looks at folders again that it has made: a link in the place of one is not followed', async () => {
    mkdirSync(join(directory, 'outside'));
    await put(describeFile('a/b/first', 'ours'), 'ours');
    async function* swapping(): AsyncGenerator<Uint8Array> {
      yield utf8('ours');
      rmSync(join(root, 'a'), { recursive: true });
      mkdirSync(join(directory, 'outside', 'b'));
      symlinkSync(join(directory, 'outside'), join(root, 'a'));
    }
    const second = placer.place(describeFile('a/b/second', 'ours'), swapping(), () => undefined);
    await assert.rejects(second, (error) => isArtifactstoreError(error, 'path_conflict'));
    assert.deepEqual([readdirSync(join(directory, 'outside/b')), readdirSync(drafts)], [[], []]);
  });

  test('places many files at once, each as one alone', async () => {
    const texts = { top: 'one', 'a/empty': '', 'a/run': '#!', 'a/b/c': 'three', z: 'last' };
    const files = Object.entries(texts).map(([path, text]) => describeFile(path, text, path === 'a/run' ? { mode: 'executable' } : {}));
    const { files: given, memory } = together(files, Object.values(texts));
    assert.deepEqual(await placer.placeMany(given, memory), { there: [], placed: 5 });
    for (const [path, text] of Object.entries(texts)) assert.equal(readFileSync(join(root, path), 'utf8'), text);
    assert.deepEqual(
      files.map(({ relative_path }) => statSync(join(root, relative_path)).mode & 0o100),
      [0, 0, 0o100, 0, 0],
    );
    assert.deepEqual(await placer.areThere([...files, describeFile('z', 'else'), describeFile('none/z', 'last')]), [
      ...files.map(() => true),
      false,
      false,
    ]);
    assert.deepEqual(readdirSync(drafts), []);
  });

  test('places many files whose annotations are as long as they can be', async () => {
    const annotations = Object.fromEntries(
      Array.from({ length: limits.annotations - 1 }, (_, index) => [`k${index}`, '字'.repeat(limits.annotationLength)]),
    );
    const files = Array.from({ length: 500 }, (_, index) => describeFile(`a/${index}`, '', { ...annotations, mode: 'executable' }));
    assert.equal((await placer.areThere(files)).filter((there) => there).length, 0);
    const given = files.map((file) => ({ file, offset: 0 }));
    assert.deepEqual(await placer.placeMany(given, new ArrayBuffer(0)), { there: [], placed: 500 });
    assert.notEqual(statSync(join(root, 'a/499')).mode & 0o100, 0);
    assert.equal((await placer.areThere(files)).filter((there) => there).length, 500);
  });

  test('of many files those before the first wrong one have their names, and nothing is left of the others', async () => {
    const right = describeFile('a/2', 'right');
    for (const [file, text, fault] of [
      [right, 'wrong', /SHA-256/],
      [right, 'righ', /SHA-256/],
      [{ ...right, digest_primary: '0'.repeat(64) }, 'right', /BLAKE3/],
      [{ ...right, relative_path: 'a/1/2' }, 'right', /something else where the folder/],
    ] as const) {
      const files = [describeFile('a/1', 'first'), file, describeFile('a/3', 'third')];
      const { files: given, memory } = together(files, ['first', text.padEnd(5), 'third']);
      const { placed, error } = await placer.placeMany(given, memory);
      assert.match(String(error), fault);
      assert.equal(placed, 1);
      assert.deepEqual([readdirSync(join(root, 'a')), readdirSync(drafts)], [['1'], []]);
    }
  });

  test('writes many files nowhere else', async () => {
    mkdirSync(join(directory, 'outside'));
    writeFileSync(join(directory, 'outside', 'file'), 'theirs');
    symlinkSync(join(directory, 'outside'), join(root, 'link'));
    symlinkSync(join(directory, 'outside', 'file'), join(root, 'file'));
    for (const [path, code] of [
      ['../out', 'invalid_path'],
      ['link/out', 'path_conflict'],
      ['a/../../out', 'invalid_path'],
    ] as const) {
      const { files, memory } = together([describeFile('file', 'ours'), describeFile(path, 'ours')], ['ours', 'ours']);
      const { error } = await placer.placeMany(files, memory);
      assert.ok(isArtifactstoreError(error, code), path);
    }
    assert.deepEqual([readdirSync(directory).sort(), readdirSync(join(directory, 'outside'))], [['outside', 'root'], ['file']]);
    assert.equal(readFileSync(join(directory, 'outside', 'file'), 'utf8'), 'theirs');
    assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'ours');

    const made = together([describeFile('made/1', 'ours')], ['ours']);
    assert.equal((await placer.placeMany(made.files, made.memory)).placed, 1);
    rmSync(join(root, 'made'), { recursive: true });
    symlinkSync(join(directory, 'outside'), join(root, 'made'));
    const second = together([describeFile('made/2', 'ours')], ['ours']);
    assert.ok(isArtifactstoreError((await placer.placeMany(second.files, second.memory)).error, 'path_conflict'));
    assert.deepEqual([readdirSync(join(directory, 'outside')), readdirSync(drafts)], [['file'], []]);
  });

  test('makes no folder behind a link that took the place of one it has made', async () => {
    mkdirSync(join(directory, 'outside'));
    await put(describeFile('a/1', 'ours'), 'ours');
    rmSync(join(root, 'a'), { recursive: true });
    symlinkSync(join(directory, 'outside'), join(root, 'a'));
    const { files, memory } = together([describeFile('a/b/2', 'ours')], ['ours']);
    assert.ok(isArtifactstoreError((await placer.placeMany(files, memory)).error, 'path_conflict'));
    await assert.rejects(put(describeFile('a/c/3', 'ours'), 'ours'), (error) => isArtifactstoreError(error, 'path_conflict'));
    assert.deepEqual([readdirSync(join(directory, 'outside')), readdirSync(drafts)], [[], []]);
  });
});

/** The files with their bytes, one after the other. */
function together(files: readonly ManifestFile[], texts: readonly string[]) {
  let offset = 0;
  const given = files.map((file, index) => {
    const at = offset;
    offset += utf8(texts[index]!).length;
    return { file, offset: at };
  });
  return { files: given, memory: Uint8Array.from(Buffer.from(texts.join(''))).buffer };
}

function describeFile(relative_path: string, text: string, annotations: Readonly<Record<string, string>> = {}): ManifestFile {
  const digest_primary = toHex(blake3(utf8(text)));
  return {
    id: '01900000-0000-7000-8000-000000000000',
    relative_path,
    media_type: 'text/plain',
    size_bytes: utf8(text).length,
    digest_algorithm: 'blake3',
    digest_primary,
    digest_sha256: toHex(sha256(utf8(text))),
    content_address: `blake3:${digest_primary}`,
    annotations,
  };
}

async function* bodyOf(text: string): AsyncIterable<Uint8Array> {
  yield utf8(text);
}

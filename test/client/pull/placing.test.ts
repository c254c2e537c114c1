import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createPlacing } from '../../../src/client/pull/placing.ts';
import { blake3, sha256, toHex, utf8 } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { ManifestFile } from '../../../src/kernel/manifest.ts';

describe('naming files in a folder that is replaced meanwhile', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-placing-'));
    mkdirSync(join(directory, 'root/.drafts'), { recursive: true });
    mkdirSync(join(directory, 'outside'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  for (const [title, swapped, folder] of [
    ['the folder itself', 'a', 'a'],
    ['a folder on the way', 'a', 'a/b/c'],
  ] as const)
    test(`a link in the place of ${title} is not followed, and said`, () => {
      const root = join(directory, 'root');
      mkdirSync(join(directory, 'outside/b/c'), { recursive: true });
      const placing = createPlacing(root, join(root, '.drafts'), 'draft-');
      const files = Array.from({ length: 10 }, (_, index) => describeFile(`${folder}/${index}`, 'x'));
      const swap = (): void => {
        renameSync(join(root, swapped), join(root, 'aside'));
        symlinkSync(join(directory, 'outside'), join(root, swapped));
      };
      let placed = 0;
      assert.throws(
        () =>
          placing.placeMany(
            files.map((file) => ({ file, offset: 0 })),
            utf8('x').slice().buffer as ArrayBuffer,
            () => {
              placed += 1;
              if (placed === 3) swap();
            },
          ),
        (error) => isArtifactstoreError(error, 'path_conflict'),
      );
      const outside = readdirSync(join(directory, 'outside'), { recursive: true }).sort();
      assert.deepEqual(outside, ['b', 'b/c']);
      assert.deepEqual(readdirSync(join(root, '.drafts')), []);
    });

  test('a directory that is gone in the middle is said, with no error of the system', () => {
    const root = join(directory, 'root');
    const drafts = join(directory, 'drafts');
    mkdirSync(drafts);
    const placing = createPlacing(root, drafts, 'draft-');
    const files = Array.from({ length: 3 }, (_, index) => ({ file: describeFile(`a/${index}`, 'x'), offset: 0 }));
    const removeAll = (): void => rmSync(root, { recursive: true, force: true });
    assert.throws(
      () => placing.placeMany(files.slice(0, 1), utf8('x').slice().buffer as ArrayBuffer, removeAll),
      (error) => isArtifactstoreError(error, 'path_conflict'),
    );
  });
});

function describeFile(path: string, text: string): ManifestFile {
  const primary = toHex(blake3(utf8(text)));
  return {
    id: path,
    relative_path: path,
    content_address: `blake3:${primary}`,
    digest_algorithm: 'blake3',
    digest_primary: primary,
    digest_sha256: toHex(sha256(utf8(text))),
    size_bytes: text.length,
    media_type: 'text/plain',
    annotations: {},
  } as ManifestFile;
}

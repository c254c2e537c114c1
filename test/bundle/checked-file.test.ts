import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createCheckedFiles } from '../../src/bundle/checked-file.ts';
import { type Artifact, parseBundle } from '../../src/bundle/manifest.ts';
import { type BundleFolder, manifestOf, openBundleFolder } from './bundle-folder.ts';

const large = Buffer.alloc(3_000_000, 'abcdefg');

function artifactOf(name: string, content: string | Uint8Array): Artifact {
  return parseBundle(Buffer.from(JSON.stringify(manifestOf({ [name]: content })))).artifacts[0]!;
}

async function readAll(folder: BundleFolder, artifact: Artifact, first = 0, last = artifact.size_bytes - 1): Promise<string> {
  await using file = await createCheckedFiles().open(folder.directory, artifact);
  const parts: Buffer[] = [];
  for await (const chunk of file.read(first, last)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString();
}

describe('a checked file', () => {
  test('has the bytes that the manifest declares, whole and in part', async () => {
    using folder = openBundleFolder();
    folder.write({ 'a/b.tar': large, empty: '' });
    assert.equal(await readAll(folder, artifactOf('a/b.tar', large)), large.toString());
    assert.equal(await readAll(folder, artifactOf('a/b.tar', large), 1_048_570, 1_048_585), large.toString('utf8', 1_048_570, 1_048_586));
    assert.equal(await readAll(folder, artifactOf('empty', '')), '');
  });

  test('is refused before its first byte when its length or its digest is another', async () => {
    using folder = openBundleFolder();
    folder.write({ a: 'right', b: 'longer than it was' });
    await assert.rejects(readAll(folder, artifactOf('a', 'wrong')), { code: 'integrity_failure' });
    await assert.rejects(readAll(folder, artifactOf('b', 'short')), /has 18 bytes, not 5/);
    await assert.rejects(readAll(folder, artifactOf('not-there', 'x')), { code: 'object_not_found' });
  });

  test('is never what a link leads to, nor a pipe, a socket or a directory', async () => {
    using folder = openBundleFolder();
    using elsewhere = openBundleFolder();
    elsewhere.write({ secret: 'secret', 'in/secret': 'secret' });
    symlinkSync(elsewhere.path('secret'), folder.path('link'));
    symlinkSync(elsewhere.path('in'), folder.path('in'));
    mkdirSync(folder.path('folder'));
    execFileSync('mkfifo', [folder.path('pipe')]);
    for (const name of ['link', 'in/secret', 'folder', 'pipe'])
      await assert.rejects(readAll(folder, artifactOf(name, 'secret')), { code: 'integrity_failure' }, name);
    symlinkSync(folder.directory, elsewhere.path('to-folder'));
    folder.write({ own: 'secret' });
    await using file = await createCheckedFiles().open(elsewhere.path('to-folder'), artifactOf('own', 'secret'));
    assert.equal(file.sizeBytes, 6);
  });

  test('gives its last bytes only while nobody has changed it, even where it was checked before', async () => {
    using folder = openBundleFolder();
    folder.write({ a: large });
    // An hour later the file has rested, and what was found is remembered.
    const files = createCheckedFiles(() => Date.now() + 3_600_000);
    await (await files.open(folder.directory, artifactOf('a', large)))[Symbol.asyncDispose]();
    await using file = await files.open(folder.directory, artifactOf('a', large));
    let given = 0;
    const reading = async () => {
      for await (const chunk of file.read(0, large.length - 1)) {
        if (given === 0) appendFileSync(folder.path('a'), 'x');
        given += chunk.length;
      }
    };
    await assert.rejects(reading, { code: 'integrity_failure' });
    assert.ok(given > 0 && given < large.length);
  });

  test('is read to its end also when another file has taken its place', async () => {
    using folder = openBundleFolder();
    folder.write({ a: large, b: 'another' });
    await using file = await createCheckedFiles().open(folder.directory, artifactOf('a', large));
    renameSync(folder.path('b'), folder.path('a'));
    let given = 0;
    for await (const chunk of file.read(0, large.length - 1)) given += chunk.length;
    assert.equal(given, large.length);
  });

  test('that changed after it was checked is checked again', async () => {
    using folder = openBundleFolder();
    folder.write({ a: 'right' });
    const artifact = artifactOf('a', 'right');
    for (const files of [createCheckedFiles(), createCheckedFiles(() => Date.now() + 3_600_000)]) {
      await (await files.open(folder.directory, artifact))[Symbol.asyncDispose]();
      await new Promise((resolve) => setTimeout(resolve, 20));
      folder.write({ a: 'wrong' });
      await assert.rejects(files.open(folder.directory, artifact), { code: 'integrity_failure' });
      folder.write({ a: 'right' });
    }
  });

  test('that this user may not read is not told as missing or damaged', {
    skip: process.getuid?.() === 0 && 'root may read everything',
  }, async () => {
    using folder = openBundleFolder();
    folder.write({ a: 'right' });
    chmodSync(folder.path('a'), 0);
    await assert.rejects(readAll(folder, artifactOf('a', 'right')), { code: 'local_file_failed' });
  });
});

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { decodeIndex, encodeIndex, maximumIndexBytes, recordBytes } from '../../../src/client/digest-index/index-file.ts';
import { indexPlace } from '../../../src/client/digest-index/index-folder.ts';
import { sha256 } from '../../../src/kernel/content/digest.ts';

describe('the folder of indexes', () => {
  const home = mkdtempSync(join(tmpdir(), 'artifactstore-indexes-'));
  const root = join(home, 'root');
  mkdirSync(root);
  after(() => rmSync(home, { recursive: true, force: true }));
  const record = (byte: number): Uint8Array => new Uint8Array(recordBytes).fill(byte);
  const content = {
    savedAt: 1,
    records: new Map([
      ['a/ü', record(1)],
      ['b', record(2)],
    ]),
  };
  /** Right in all but its length: its last path is too long. */
  function longIndex(): Uint8Array {
    const bytes = encodeIndex(content);
    const body = Buffer.concat([bytes.subarray(64), Buffer.alloc(maximumIndexBytes, 'x')]);
    const long = Buffer.concat([bytes.subarray(0, 32), sha256(body), body]);
    assert.equal(decodeIndex(long)?.records.size, 2);
    return long;
  }
  let caches = 0;

  function place() {
    caches += 1;
    const cache = join(home, `cache-${caches}`);
    const folder = join(cache, 'digests');
    return { cache, folder, index: indexPlace(cache, root), path: () => join(folder, readdirSync(folder)[0]!) };
  }

  test('is made for its user alone, and has one file for each directory', () => {
    const { cache, folder, index, path } = place();
    assert.equal(index.load(), undefined);
    index.touch();
    index.save(content);
    assert.deepEqual(index.load(), content);
    assert.equal(readdirSync(folder).length, 1);
    if (process.platform !== 'win32') assert.deepEqual([statSync(folder).mode & 0o777, statSync(path()).mode & 0o777], [0o700, 0o600]);
    symlinkSync(root, join(home, 'link'));
    assert.deepEqual(indexPlace(cache, join(home, 'link')).load(), content);
    assert.equal(indexPlace(cache, tmpdir()).load(), undefined);
    utimesSync(path(), 1, 1);
    index.touch();
    assert.ok(statSync(path()).mtimeMs > 1000);
  });

  test('ignores and replaces a file that is damaged, cut or of another version', () => {
    const { index, path } = place();
    index.save(content);
    const whole = readFileSync(path());
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Uint8Array.from(whole);
      damaged[at]! ^= 1;
      assert.equal(decodeIndex(damaged), undefined, `byte ${at}`);
      assert.equal(decodeIndex(whole.subarray(0, at)), undefined, `cut to ${at}`);
    }
    writeFileSync(path(), whole.subarray(1));
    assert.equal(index.load(), undefined);
    index.save(content);
    assert.deepEqual(index.load(), content);
    assert.deepEqual(decodeIndex(encodeIndex({ savedAt: 2, records: new Map() })), { savedAt: 2, records: new Map() });
  });

  test('ignores and replaces what another user can write, what is no file and what is too long', {
    skip: process.platform === 'win32',
  }, () => {
    const { folder, index, path } = place();
    index.save(content);
    const name = path();
    const refusals: Readonly<Record<string, () => void>> = {
      writable: () => chmodSync(name, 0o620),
      link: () => {
        renameSync(name, join(folder, 'elsewhere'));
        symlinkSync('elsewhere', name);
      },
      long: () => writeFileSync(name, longIndex()),
      ...(process.getuid?.() === 0 ? { foreign: () => chownSync(name, 65534, 65534) } : {}),
    };
    for (const [what, spoil] of Object.entries(refusals)) {
      spoil();
      assert.equal(index.load(), undefined, what);
      index.save(content);
      assert.deepEqual(index.load(), content, what);
    }
    rmSync(name);
    mkdirSync(name);
    assert.equal(index.load(), undefined);
    index.save(content);
    assert.deepEqual(
      readdirSync(folder).filter((each) => each.startsWith('.draft')),
      [],
    );
  });

  test('is no reason to fail where it can not be made', () => {
    writeFileSync(join(home, 'file'), '');
    for (const cache of [join(home, 'file'), join(home, 'file', 'below'), '/proc/none', '\0']) {
      const index = indexPlace(cache, root);
      assert.equal(index.load(), undefined);
      index.save(content);
      index.touch();
    }
    indexPlace(join(home, 'unused'), join(home, 'no such directory')).save(content);
  });

  test('keeps the indexes that were used last, within bounds, and no drafts', () => {
    const { folder, index } = place();
    index.save(content);
    const name = (number: number): string => join(folder, number.toString(16).padStart(64, '0'));
    for (let number = 0; number < 220; number += 1) {
      writeFileSync(name(number), '');
      utimesSync(name(number), number + 1, number + 1);
    }
    const draft = `.draft-${'0'.repeat(36)}`;
    for (const other of [draft, 'notes']) {
      writeFileSync(join(folder, other), '');
      utimesSync(join(folder, other), 1, 1);
    }
    index.save(content);
    const left = readdirSync(folder);
    assert.deepEqual([left.length, left.includes(draft), left.includes('notes')], [201, false, true]);
    assert.deepEqual(index.load(), content);
    assert.throws(() => statSync(name(20)));
    assert.ok(statSync(name(21)).isFile());
  });

  test('has no index that is longer than one that is read', () => {
    const records = new Map(Array.from({ length: 62_000 }, (_, number) => [`${number}`.padEnd(1_024, 'x'), record(3)]));
    const bytes = encodeIndex({ savedAt: 1, records });
    assert.ok(bytes.length <= maximumIndexBytes && bytes.length > maximumIndexBytes - 2_000);
    const kept = decodeIndex(bytes)!.records;
    assert.ok(kept.size > 59_000 && kept.size < 62_000);
    assert.deepEqual(kept.get('0'.padEnd(1_024, 'x')), record(3));
  });
});

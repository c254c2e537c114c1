import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type WatchedFile, watchFile } from '../../src/identity/watched-file.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../src/kernel/error.ts';

describe('a watched file', () => {
  let folder: string;
  let path: string;
  let taken: string[];
  let refused: string[];
  let read: number;
  let watched: WatchedFile | undefined;

  const open = async (longest = 100): Promise<WatchedFile> => {
    watched = await watchFile({
      path,
      longest,
      pollMilliseconds: 3_600_000,
      take: (bytes) => {
        const text = Buffer.from(bytes).toString();
        read += 1;
        if (text.startsWith('bad')) throw new ArtifactstoreError('invalid_configuration', `It is ${text}.`);
        taken.push(text);
      },
      onRefused: (error) => refused.push(error.message),
      onTaken: () => taken.push('told'),
    });
    return watched;
  };
  const lookTwice = async (file: WatchedFile): Promise<void> => {
    await file.look();
    await file.look();
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'artifactstore-watched-'));
    path = join(folder, 'file');
    [taken, refused, read] = [[], [], 0];
    writeFileSync(path, 'one');
  });
  afterEach(async () => {
    watched?.close();
    rmSync(folder, { recursive: true });
  });

  test('is taken again once two looks find a change, and not while it changes', async () => {
    const file = await open();
    await lookTwice(file);
    assert.deepEqual(taken, ['one']);
    writeFileSync(path, 'two, half');
    await file.look();
    writeFileSync(path, 'two, half and whole');
    await file.look();
    assert.deepEqual(taken, ['one']);
    await file.look();
    assert.deepEqual(taken, ['one', 'two, half and whole', 'told']);
    assert.equal(file.status().refused, null);
  });

  test('is taken again when its length and its time are as before', async () => {
    const time = new Date(1_000_000_000_000);
    utimesSync(path, time, time);
    const file = await open();
    writeFileSync(path, 'two');
    utimesSync(path, time, time);
    await lookTwice(file);
    assert.deepEqual(taken, ['one', 'two', 'told']);
  });

  test('that changes all the time is told of once, and is taken when it stays the same', async () => {
    const file = await open();
    for (let number = 0; number < 12; number++) {
      writeFileSync(path, 'x'.repeat(number + 5));
      await file.look();
    }
    assert.match(refused.join(), /^The access file "[^"]*" changes all the time[^,]*$/);
    assert.match(file.status().refused ?? '', /changes all the time/);
    await file.look();
    assert.equal(taken.at(-2), 'x'.repeat(16));
    assert.equal(file.status().refused, null);
  });

  test('is followed through a rename, and through the links of a Kubernetes volume', async () => {
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'file'), version);
    }
    rmSync(path);
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync('..data/file', path);
    const file = await open();
    symlinkSync('v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await lookTwice(file);
    writeFileSync(join(folder, 'new'), 'v3');
    renameSync(join(folder, 'new'), path);
    await lookTwice(file);
    assert.deepEqual(taken, ['v1', 'v2', 'told', 'v3', 'told']);
  });

  test('keeps the last good version in force, and tells once of a bad one', async () => {
    const file = await open();
    const { loaded_at } = file.status();
    writeFileSync(path, 'bad');
    for (let look = 0; look < 4; look += 1) await file.look();
    assert.deepEqual([taken, refused, read], [['one'], ['It is bad.'], 2]);
    assert.deepEqual(file.status(), { path, loaded_at, refused: 'It is bad.' });
    writeFileSync(path, 'good again');
    await lookTwice(file);
    assert.equal(file.status().refused, null);
    assert.deepEqual(taken, ['one', 'good again', 'told']);
  });

  test('that vanishes, or is no file, or one that everybody may change, leaves the last version in force', async () => {
    const file = await open();
    const kept = join(folder, 'kept');
    renameSync(path, kept);
    await file.look();
    assert.equal(file.status().refused, null, 'a rename in two steps is no loss');
    await lookTwice(file);
    mkdirSync(path);
    await lookTwice(file);
    rmSync(path, { recursive: true });
    writeFileSync(path, 'everybody');
    chmodSync(path, 0o666);
    await lookTwice(file);
    assert.deepEqual(
      refused.map((message) => /cannot be used: (.*)\./.exec(message)?.[1]?.slice(0, 37)),
      ['it is not there (ENOENT)', 'it is no regular file', 'everybody on this machine may change '],
    );
    rmSync(path);
    renameSync(kept, path);
    await lookTwice(file);
    assert.equal(file.status().refused, null);
    assert.deepEqual(taken.filter((each) => each !== 'told').at(-1), 'one');
    assert.ok(!taken.includes('everybody'));
  });

  const isRoot = process.getuid?.() === 0;
  test('that cannot be read now is read when it can, and told of once', { skip: !isRoot && 'only root can be somebody else' }, async () => {
    chmodSync(folder, 0o711);
    const file = await open();
    writeFileSync(path, 'secret');
    chmodSync(path, 0o600);
    process.seteuid!(65_534);
    try {
      for (let look = 0; look < 4; look += 1) await file.look();
    } finally {
      process.seteuid!(0);
    }
    assert.equal(refused.length, 1);
    assert.match(`${refused[0]}`, /this user has no permission/);
    assert.deepEqual(taken, ['one']);
    await file.look();
    assert.deepEqual(taken, ['one', 'secret', 'told']);
    assert.equal(file.status().refused, null);
  });

  test('is not taken any more once it is closed', async () => {
    const file = await open();
    writeFileSync(path, 'two');
    await file.look();
    const looking = file.look();
    file.close();
    await looking;
    assert.deepEqual(taken, ['one']);
  });

  test('is not told of any more once it is closed', async () => {
    const file = await open();
    rmSync(path);
    await file.look();
    const looking = file.look();
    file.close();
    await looking;
    assert.deepEqual(refused, []);
  });

  test('is read no further than it may be long', async () => {
    const file = await open();
    writeFileSync(path, 'x'.repeat(5_000));
    await lookTwice(file);
    assert.equal(taken[1]?.length, 101);
  });

  test('is not taken when it changes while it is read', {
    skip: process.platform !== 'linux' && '/proc shows what is being read',
  }, async () => {
    const isRead = () =>
      readdirSync('/proc/self/fd').some((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
        } catch {
          return false;
        }
      });
    const file = await open(40_000_000);
    writeFileSync(path, 'x'.repeat(40_000_000));
    await file.look();
    let hasLooked = false;
    const looking = file.look().then(() => {
      hasLooked = true;
    });
    while (!hasLooked && !isRead()) await setImmediate();
    writeFileSync(path, 'two');
    await looking;
    assert.deepEqual(taken, ['one']);
    await lookTwice(file);
    assert.deepEqual(taken, ['one', 'two', 'told']);
  });

  test('that is not there at the start is refused', async () => {
    rmSync(path);
    await assert.rejects(open(), (error) => isArtifactstoreError(error, 'invalid_configuration') && /it is not there/.test(error.message));
  });
});

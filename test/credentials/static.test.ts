import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { Credentials, Keys } from '../../src/credentials/CREDENTIALS.ts';
import { staticCredentials } from '../../src/credentials/static.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { type KeyFiles, keyFileNames, keyFiles, valueOfPart } from './key-files.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

describe('credentials: static, from the environment', () => {
  test('are read once, and are the same object for ever', async () => {
    const environment: Record<string, string> = { ID: 'ACCESS', SECRET: ' se/cr+et=\n', TOKEN: 'token' };
    const credentials = staticCredentials(
      { accessKeyRef: 'env:ID', secretKeyRef: 'env:SECRET', sessionTokenRef: 'env:TOKEN' },
      { environment, now: virtualClock().now },
    );
    const keys = await credentials.keys();
    assert.deepEqual(keys, { accessKeyId: 'ACCESS', secretAccessKey: 'se/cr+et=', sessionToken: 'token' });
    environment.SECRET = 'other';
    credentials.refused(keys);
    assert.equal(await credentials.keys(), keys);
  });

  test('come from the process itself where nothing else is said, without a session token where none is named', async () => {
    process.env.STATIC_TEST_ID = 'ACCESS';
    process.env.STATIC_TEST_SECRET = 'secret';
    try {
      const credentials = staticCredentials({ accessKeyRef: 'env:STATIC_TEST_ID', secretKeyRef: 'env:STATIC_TEST_SECRET' });
      assert.deepEqual(await credentials.keys(), { accessKeyId: 'ACCESS', secretAccessKey: 'secret' });
    } finally {
      delete process.env.STATIC_TEST_ID;
      delete process.env.STATIC_TEST_SECRET;
    }
  });

  test('that are not there are a wrong configuration: every setting and reference is named, no value is', async () => {
    const environment = { ID: 'ACCESS', EMPTY: '', TWO: 'first-word second-word' };
    const credentials = staticCredentials(
      { accessKeyRef: 'env:TWO', secretKeyRef: 'env:EMPTY', sessionTokenRef: 'file:/nowhere/token' },
      { environment, wait: virtualClock().wait },
    );
    await assert.rejects(credentials.keys(), (error) => {
      assert.ok(isArtifactstoreError(error, 'invalid_configuration'));
      assert.match(error.message, /ARTIFACTSTORE_S3_ACCESS_KEY_REF: what env:TWO leads to is not one word/);
      assert.match(error.message, /ARTIFACTSTORE_S3_SECRET_KEY_REF: the variable EMPTY is not set or empty/);
      assert.match(error.message, /ARTIFACTSTORE_S3_SESSION_TOKEN_REF: the file of file:\/nowhere\/token cannot be read \(ENOENT\)/);
      assert.equal(error.field, 'ARTIFACTSTORE_S3_ACCESS_KEY_REF');
      assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /first-word|second-word/);
      return true;
    });
    environment.TWO = 'ACCESS';
    environment.EMPTY = 'secret';
    const repaired = staticCredentials({ accessKeyRef: 'env:TWO', secretKeyRef: 'env:EMPTY' }, { environment });
    assert.equal((await repaired.keys()).accessKeyId, 'ACCESS');
  });

  test('that come to be there are found by asking again', async () => {
    const environment: Record<string, string> = {};
    const credentials = staticCredentials({ accessKeyRef: 'env:ID', secretKeyRef: 'env:SECRET' }, { environment });
    await assert.rejects(credentials.keys(), (error) => isArtifactstoreError(error, 'invalid_configuration'));
    Object.assign(environment, { ID: 'ACCESS', SECRET: 'secret' });
    assert.equal((await credentials.keys()).secretAccessKey, 'secret');
  });
});

describe('credentials: static, from files', () => {
  test('are the same object while nothing changes, without their newline', async () => {
    using world = open();
    const { credentials, clock } = world;
    const keys = await credentials.keys();
    assert.deepEqual(keys, expected(1));
    clock.advance(3_600_000);
    assert.equal(await credentials.keys(), keys);
    credentials.refused(keys);
    const before = clock.now();
    assert.equal(await credentials.keys(), keys, 'there are no others');
    assert.equal(clock.now(), before, 'and keys that were good for long are not waited for');
    assert.ok(Object.isFrozen(keys));
  });

  test('are looked at once a second at most, and taken when a second reading agrees', async () => {
    using world = open();
    const { credentials, clock, files } = world;
    const first = await credentials.keys();
    clock.advance(900);
    for (const name of keyFileNames) files.write(name, 2, 'in place');
    assert.equal(await credentials.keys(), first, 'not looked at yet');
    clock.advance(100);
    assert.equal(await credentials.keys(), first, 'seen once');
    clock.advance(50);
    assert.deepEqual(await credentials.keys(), expected(2));
  });

  test('are never put together of old and new parts while a sidecar replaces them', async () => {
    for (const order of [keyFileNames, keyFileNames.toReversed()]) {
      using world = open();
      const { credentials, clock, files } = world;
      const first = await credentials.keys();
      for (const name of order) {
        files.write(name, 2);
        for (const _ of order) {
          clock.advance(500);
          if (name !== order.at(-1)) assert.equal(await credentials.keys(), first, `after ${name}`);
        }
      }
      await credentials.keys();
      clock.advance(1000);
      assert.deepEqual(await credentials.keys(), expected(2));
    }
  });

  test('whose parts change alone are taken after five seconds', async () => {
    using world = open();
    const { credentials, clock, files } = world;
    const first = await credentials.keys();
    files.write('secret', 2);
    clock.advance(1000);
    assert.equal(await credentials.keys(), first);
    clock.advance(4900);
    assert.equal(await credentials.keys(), first);
    clock.advance(100);
    assert.deepEqual(await credentials.keys(), { ...expected(1), secretAccessKey: valueOfPart('secret', 2) });
  });

  test('whose parts change alone are taken at once when the store refuses the old ones', async () => {
    using world = open();
    const { credentials, files, clock } = world;
    const first = await credentials.keys();
    files.write('secret', 2);
    assert.equal(await credentials.keys(), first);
    credentials.refused(first);
    const before = clock.now();
    const second = await credentials.keys();
    assert.equal(second.secretAccessKey, valueOfPart('secret', 2));
    assert.ok(clock.now() - before <= 1000, 'waited for the others, but not long');
    files.write('secret', 3);
    credentials.refused(first);
    assert.equal(await credentials.keys(), second, 'a refusal of keys that are not the current ones is ignored');
  });

  test('that a start found torn are put right when they are refused', async () => {
    using world = open(['access']);
    const { credentials, files, clock } = world;
    const torn = await credentials.keys();
    assert.equal(torn.accessKeyId, valueOfPart('access', 2));
    assert.equal(torn.secretAccessKey, valueOfPart('secret', 1));
    credentials.refused(torn);
    clock.at(clock.now() - world.start + 120, () => {
      for (const name of ['secret', 'token'] as const) files.write(name, 2);
    });
    assert.deepEqual(await credentials.keys(), expected(2));
  });

  test('are waited for when all of them are on their way at a refusal', async () => {
    using world = open();
    const { credentials, files, clock } = world;
    const first = await credentials.keys();
    files.write('access', 2);
    clock.at(clock.now() - world.start + 120, () => files.write('secret', 2));
    clock.at(clock.now() - world.start + 240, () => files.write('token', 2));
    credentials.refused(first);
    assert.deepEqual(await credentials.keys(), expected(2));
  });

  test('that are gone or empty for a while are kept, until they are refused', async () => {
    using world = open();
    const { credentials, files, clock } = world;
    const first = await credentials.keys();
    files.remove('secret');
    writeFileSync(files.path('access'), '');
    clock.advance(60_000);
    assert.equal(await credentials.keys(), first);
    credentials.refused(first);
    for (let asked = 0; asked < 2; asked += 1)
      await assert.rejects(credentials.keys(), (error) => {
        assert.ok(isArtifactstoreError(error, 'storage_unavailable'));
        assert.match(error.message, /ARTIFACTSTORE_S3_ACCESS_KEY_REF: the file of file:\S+ is empty/);
        assert.match(error.message, /ARTIFACTSTORE_S3_SECRET_KEY_REF: the file of file:\S+ cannot be read \(ENOENT\)/);
        assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /SECRET\/|ACCESS\/|TOKEN\//);
        return true;
      });
    for (const name of keyFileNames) files.write(name, 2);
    assert.deepEqual(await credentials.keys(), expected(2));
  });

  test('that a link leads to are followed when the link is swapped, as Kubernetes does', async () => {
    using files = keyFiles();
    const clock = virtualClock();
    const publish = (generation: number): void => {
      const folder = join(files.directory, `generation-${generation}`);
      mkdirSync(folder);
      for (const name of keyFileNames) writeFileSync(join(folder, name), valueOfPart(name, generation), { mode: 0o600 });
      symlinkSync(folder, join(files.directory, 'link'));
      renameSync(join(files.directory, 'link'), join(files.directory, 'current'));
    };
    publish(1);
    const credentials = staticCredentials(references(join(files.directory, 'current')), clock);
    const first = await credentials.keys();
    publish(2);
    credentials.refused(first);
    assert.deepEqual(await credentials.keys(), expected(2));
  });

  test('are read together with what comes from variables', async () => {
    using files = keyFiles();
    const clock = virtualClock();
    for (const name of keyFileNames) files.write(name, 1);
    const environment = { ID: 'ACCESS' };
    const credentials = staticCredentials(
      { accessKeyRef: 'env:ID', secretKeyRef: `file:${files.path('secret')}` },
      { environment, ...clock },
    );
    await credentials.keys();
    files.write('secret', 2);
    clock.advance(1000);
    await credentials.keys();
    clock.advance(50);
    assert.deepEqual(await credentials.keys(), { accessKeyId: 'ACCESS', secretAccessKey: valueOfPart('secret', 2) });
  });

  test('are one object for all who ask at the same time, also when a refusal comes while somebody looks', async () => {
    using world = open();
    const { credentials, files, clock } = world;
    const first = await Promise.all(Array.from({ length: 50 }, () => credentials.keys()));
    assert.equal(new Set(first).size, 1);
    for (const name of keyFileNames) files.write(name, 2);
    clock.advance(1000);
    const looking = credentials.keys();
    credentials.refused(first[0]!);
    const later = await Promise.all(Array.from({ length: 50 }, () => credentials.keys()));
    assert.equal(new Set(later).size, 1);
    assert.deepEqual(later[0], expected(2), 'whoever asks after the refusal gets others');
    await looking;
  });

  test('go on being looked at when the clock is set back', async () => {
    using world = open();
    const { credentials, files, clock } = world;
    await credentials.keys();
    clock.advance(-86_400_000);
    for (const name of keyFileNames) files.write(name, 2);
    await credentials.keys();
    clock.advance(50);
    assert.deepEqual(await credentials.keys(), expected(2));
  });
});

interface World extends Disposable {
  readonly credentials: Credentials;
  readonly files: KeyFiles;
  readonly clock: VirtualClock;
  readonly start: number;
}

/** Keys of the first generation, except the parts that are `ahead`. */
function open(ahead: readonly string[] = []): World {
  const files = keyFiles();
  const clock = virtualClock();
  for (const name of keyFileNames) files.write(name, ahead.includes(name) ? 2 : 1);
  const credentials = staticCredentials(references(files.directory), clock);
  return { credentials, files, clock, start: clock.now(), [Symbol.dispose]: () => files[Symbol.dispose]() };
}

function references(directory: string): { accessKeyRef: string; secretKeyRef: string; sessionTokenRef: string } {
  return {
    accessKeyRef: `file:${join(directory, 'access')}`,
    secretKeyRef: `file:${join(directory, 'secret')}`,
    sessionTokenRef: `file:${join(directory, 'token')}`,
  };
}

function expected(generation: number): Keys {
  return {
    accessKeyId: valueOfPart('access', generation),
    secretAccessKey: valueOfPart('secret', generation),
    sessionToken: valueOfPart('token', generation),
  };
}

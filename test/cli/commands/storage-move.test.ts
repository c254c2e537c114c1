import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { Surroundings } from '../../../src/cli/context.ts';
import { exitCodeOf } from '../../../src/cli/exit.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { readConfig } from '../../../src/config/config.ts';
import { administrator } from '../../../src/kernel/access.ts';
import type { File } from '../../../src/registry/REGISTRY.ts';
import { openTwoBackends, type TwoBackends } from '../../registry/two-backends.ts';

describe('storage move', () => {
  let store: TwoBackends;
  let files: readonly File[];
  before(async () => {
    store = await openTwoBackends();
    const registry = store.as(administrator('producer'));
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    for (let index = 0; index < 3; index++)
      await registry.files.add(record.id, {
        relative_path: `f${index}`,
        body: (async function* () {
          yield Buffer.from(`content ${index}`);
        })(),
      });
    files = (await registry.files.list(record.id)).items;
  });
  after(() => store.close());

  /** The real command over the store that is open. */
  async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly error: string }> {
    const said: string[] = [];
    const stream = () => {
      const through = new PassThrough();
      through.on('data', (chunk: Uint8Array) => void said.push(chunk.toString()));
      return through as unknown as NodeJS.WriteStream;
    };
    const surroundings: Surroundings = {
      version: '0.0.0',
      environment: {},
      directory: store.directory,
      stdin: process.stdin,
      stdout: stream(),
      stderr: new PassThrough() as unknown as NodeJS.WriteStream,
      openStore: async () => {
        const { as, operator, settle } = store;
        return { as, operator, close: settle, [Symbol.asyncDispose]: settle };
      },
      checkBackup: () => Promise.reject(new Error('nothing is checked here')),
      checkConfig: () => Promise.reject(new Error('nothing is checked here')),
      restore: () => Promise.reject(new Error('nothing is restored here')),
      certify: () => Promise.reject(new Error('nothing is certified here')),
      provider: () => Promise.reject(new Error('nobody is asked for keys here')),
      store: () => Promise.reject(new Error('nobody is asked for keys here')),
    };
    assert.equal(readConfig({}, { directory: store.directory }).defaultBackend, 'local');
    try {
      await createProgram(surroundings, () => undefined).parseAsync(['storage', 'move', ...args], { from: 'user' });
      return { code: 0, stdout: said.join(''), error: '' };
    } catch (error) {
      return { code: exitCodeOf(error), stdout: said.join(''), error: (error as Error).message };
    }
  }

  test('says what would be moved, moves it, and ends with 5 when something is bad', async () => {
    const dry = await run('--from', 'near', '--to', 'far', '--dry-run');
    assert.equal(dry.code, 0);
    assert.match(dry.stdout, /^would move near to far; nothing was changed\nOBJECTS +SIZE +FILES .*\n3 +27 B +3 +3 +27 B +3 +27 B *\n$/);
    const plan = JSON.parse((await run('--from', 'near', '--to', 'far', '--dry-run', '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual([plan.objects, plan.locations, plan.copy_bytes, plan.delete_objects], [3, 3, 27, 3]);

    const path = store.pathOf('near', files[0]!);
    const good = readFileSync(path);
    writeFileSync(path, 'CONTENT 0');
    const bad = await run('--from', 'near', '--to', 'far', '--jobs', '1');
    assert.equal(bad.code, 5);
    assert.match(bad.stdout, new RegExp(`^damaged  near  ${files[0]!.locations[0]!.object_key}  .*\nmoved near to far\n`));
    assert.match(bad.stdout, /\n2 +18 B +2 +2 +1 +0 +1 +9 B *\n$/);
    assert.match(bad.error, /1 object could not be moved from near to far: 1 damaged, 0 missing/);

    writeFileSync(path, good);
    const { code, stdout } = await run('--from', 'near', '--to', 'far', '--rate', '50MB', '--json');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      ok: true,
      from: 'near',
      to: 'far',
      objects: 1,
      bytes: 9,
      locations: 1,
      deleted_objects: 1,
      failed: 0,
      missing: 0,
      unreadable: 0,
      left_objects: 0,
      left_bytes: 0,
      failures: [],
    });
  });

  test('takes a producer, a class and a package, and refuses what makes no sense', async () => {
    for (const [option, value] of [
      ['--producer', 'nobody'],
      ['--retention-class', 'raw-evidence'],
    ] as const)
      assert.equal(
        (JSON.parse((await run('--from', 'far', '--to', 'near', option, value, '--json')).stdout) as { objects: number }).objects,
        0,
      );
    const back = JSON.parse((await run('--from', 'far', '--to', 'near', '--package', files[0]!.package_id, '--json')).stdout) as {
      objects: number;
    };
    assert.equal(back.objects, 3);
    assert.equal((await run('--from', 'near', '--to', 'near')).code, 2);
    assert.match((await run('--from', 'near', '--to', 'elsewhere')).error, /There is no storage backend "elsewhere"; there are near, far/);
    assert.equal((await run('--from', 'near', '--to', 'far', '--package', crypto.randomUUID())).code, 3);
    assert.match((await run('--from', 'near')).error, /'--to <id>' not specified/);
    assert.match((await run('--from', 'near', '--to', 'far', '--rate', 'fast')).error, /bytes a second/);
  });
});

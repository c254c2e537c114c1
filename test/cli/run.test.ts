import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { openStore } from '../../src/compose/open-store.ts';
import { readConfig } from '../../src/config/config.ts';
import { main } from '../../src/main.ts';
import { openWorkplace } from './workplace.ts';

test('what a command said stands before its error where both go to one slow place', async () => {
  using place = openWorkplace();
  {
    await using store = await openStore(readConfig({}, { directory: place.directory }), { migrate: true });
    const registry = store.as('tester');
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    await registry.files.add(record.id, { relative_path: 'one', body: Readable.from([Buffer.from('one')]) });
    await store.operator.settleHeld();
  }
  rmSync(place.path('var/storage/registry.json'));
  rmSync(place.path('var/storage/blake3'), { recursive: true });
  let said = '';
  const into = (milliseconds: number): NodeJS.WriteStream =>
    new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        setTimeout(() => {
          said += Buffer.from(chunk).toString();
          done();
        }, milliseconds);
      },
    }) as unknown as NodeJS.WriteStream;
  const code = await main(['storage', 'adopt', '--backend', 'local'], {
    environment: {},
    directory: place.directory,
    stdin: Readable.from([]) as NodeJS.ReadStream,
    stdout: into(30),
    stderr: into(0),
  });
  assert.equal(code, 4, said);
  assert.match(said, /^in the store [\s\S]*\nerror: What is in "local" is not what the log/);
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { tokenFromFile } from '../../../src/client/bearer/token-file.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const directory = mkdtempSync(join(tmpdir(), 'token-file-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string): string => join(directory, name);

function write(name: string, text: string, mode = 0o600): string {
  writeFileSync(at(name), text);
  chmodSync(at(name), mode);
  return at(name);
}

describe('the token of a file', () => {
  test('is read anew each time', async () => {
    const source = tokenFromFile(write('token', 'one\n'));
    assert.equal(await source.take(), 'one');
    write('token', 'two');
    assert.equal(await source.take(), 'two');
  });

  test('is followed where Kubernetes turns a link to a new folder and removes the old one', async () => {
    const turn = (name: string, token: string): void => {
      mkdirSync(at(name));
      write(`${name}/token`, token);
      symlinkSync(name, at('..data_tmp'));
      renameSync(at('..data_tmp'), at('..data'));
    };
    turn('..2026_01', 'first');
    symlinkSync('..data/token', at('projected'));
    const source = tokenFromFile(at('projected'));
    assert.equal(await source.take(), 'first');
    turn('..2026_02', 'second');
    rmSync(at('..2026_01'), { recursive: true });
    assert.equal(await source.take(), 'second');
  });

  test('is waited for a moment where somebody is replacing the file just now', async () => {
    const taking = tokenFromFile(write('written', '')).take();
    setTimeout(() => write('written', 'whole'), 10);
    assert.equal(await taking, 'whole');
  });

  test('is refused with the place and the setting, and never with what is in it', async () => {
    for (const [path, code, told] of [
      [at('none'), 'invalid_path', /none" can't be read: it is not there \(ENOENT\)/],
      [directory, 'local_file_failed', /is a directory/],
      [write('empty', ' \n'), 'invalid_configuration', /The token file .*empty is empty\./],
      [write('words', 'hush hush'), 'invalid_configuration', /is not one word of plain ASCII/],
      [write('open', 'hush', 0o644), 'local_file_failed', /may be read by everybody on this machine \(mode 0644\): run chmod 600/],
      [write('long', 'hush'.repeat(20_000)), 'local_file_failed', /is longer than 65536 bytes/],
    ] as const)
      await assert.rejects(tokenFromFile(path, 'ARTIFACTSTORE_API_TOKEN_FILE').take(), (error) => {
        assert.ok(isArtifactstoreError(error, code), String(error));
        assert.match(error.message, told);
        assert.doesNotMatch(JSON.stringify(error) + error.message, /hush/);
        return true;
      });
  });

  test('says beside a refusal when it ended', () => {
    const ended = `e30.${Buffer.from('{"exp":1000000000}').toString('base64url')}.s`;
    const { hint } = tokenFromFile('/t', 'S');
    assert.equal(hint?.(ended), 'the token in the file /t ended at 2001-09-09T01:46:40.000Z, and nobody has put a newer one there (S)');
    assert.equal(hint?.('static'), 'the token is that of the file /t (S)');
  });
});

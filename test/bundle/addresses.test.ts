import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { formatEnvironment, formatNomadVariables } from '../../src/bundle/addresses.ts';
import { quoteHcl } from '../../src/bundle/nomad/quote-hcl.ts';

const sha256 = 'a'.repeat(64);
const at = (name: string) => ({ url: `http://[::1]:7380/objects/sha256:${sha256}/${name}`, sha256, size_bytes: 1 });

describe('addresses', () => {
  test('are variables of Nomad', () => {
    const text = formatNomadVariables({ 'bin/App-1.tar': at('App-1.tar'), '7z': at('7z') });
    assert.deepEqual(text.split('\n'), [
      `bin_app_1_tar_url = "http://[::1]:7380/objects/sha256:${sha256}/App-1.tar"`,
      `bin_app_1_tar_checksum = "sha256:${sha256}"`,
      `_7z_url = "http://[::1]:7380/objects/sha256:${sha256}/7z"`,
      `_7z_checksum = "sha256:${sha256}"`,
      '',
    ]);
    assert.equal(quoteHcl(`a"\\\${x}%{y}$z\n`), '"a\\"\\\\$${x}%%{y}$z\\n"');
  });

  test('are lines that a shell reads', () => {
    const text = formatEnvironment({ 'app.tar': at('app.tar') });
    const read = execFileSync('sh', ['-c', `${text}printf %s "$APP_TAR_URL $APP_TAR_SHA256"`], { encoding: 'utf8' });
    assert.equal(read, `${at('app.tar').url} ${sha256}`);
    assert.throws(() => formatEnvironment({ a: { ...at('a'), url: 'http://x/$(y)' } }), { code: 'invalid_value' });
  });

  test('of two names that would be one variable are refused', () => {
    for (const format of [formatEnvironment, formatNomadVariables])
      assert.throws(() => format({ 'a.b': at('a'), 'a-b': at('b') }), { code: 'invalid_value' });
  });
});

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const folder = join(import.meta.dirname, '..', '..', 'deploy', 'systemd');

test('no unit leaves a core file, which would have what its process had in memory', () => {
  const units = globSync('*.service', { cwd: folder });
  assert.ok(units.length >= 3);
  for (const unit of units) assert.match(readFileSync(join(folder, unit), 'utf8'), /^LimitCORE=1$/m, unit);
});

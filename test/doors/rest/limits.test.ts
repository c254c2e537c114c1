import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { defaultLimits, limitNames } from '../../../src/http/limits.ts';

test('docs/operate/run.md has every limit with its default, and what is counted', () => {
  const section = readFileSync(new URL('../../../docs/operate/run.md', import.meta.url), 'utf8')
    .split('\n## Limits\n')[1]!
    .split('\n## ')[0]!;
  const shown = [...section.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, name, value]) => [name, value]);
  const real = Object.entries(defaultLimits).map(([key, value]: [string, number]) => {
    const name = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [name, /(?:Timeout|Interval|heartbeat)$/.test(key) ? `${value / 1000} s` : String(value)];
  });
  assert.deepEqual(shown, real);
  for (const name of limitNames) assert.match(section, new RegExp(`counted as \`${name}\``));
});

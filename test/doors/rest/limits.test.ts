import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readConfig } from '../../../src/config/config.ts';
import { bounds, limitNames } from '../../../src/doors/rest/bounds.ts';
import { problems } from '../../../src/doors/rest/problem.ts';
import { defaultLimits } from '../../../src/http/limits.ts';
import type { Bound } from '../../../src/kernel/bound.ts';
import { limits } from '../../../src/registry/limits.ts';

const page = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8');

/** A row of the page, as it must be. */
function rowOf(name: string, { value, unit, variable, answer, what }: Bound): string {
  const words = { reset: 'the connection is reset', closed: 'the connection is closed', less: 'the answer has less' };
  const answered = answer in words ? words[answer as keyof typeof words] : `${problems[answer as keyof typeof problems][0]} \`${answer}\``;
  const cells = [
    `\`${name}\``,
    `${value}${unit === '' ? '' : ` ${unit}`}`,
    variable === undefined ? '' : `\`${variable}\``,
    answered,
    what,
  ];
  return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
}

test('docs/limits.md has every limit, with its default, its variable and what is answered, and no other', () => {
  const shown = page.split('\n').filter((line) => line.startsWith('| `'));
  assert.deepEqual(
    shown,
    Object.entries(bounds).map(([name, bound]) => rowOf(name, bound)),
  );
});

test('every number that the engine and the registry hold to is in the table', () => {
  // What nothing is refused for: how often is looked, what is waited for within a limit, what keeps a connection.
  const paces = new Set(['headersCheckInterval', 'keepAliveTimeout', 'heartbeat', 'bufferedWait', 'waitMilliseconds']);
  const shown = Object.values(bounds).map(({ value }) => value);
  for (const [name, value] of Object.entries({ ...defaultLimits, ...limits }))
    if (!paces.has(name)) assert.ok(shown.includes(value) || shown.includes(value / 1000), `${name}, ${value}`);
});

test('each variable of the table is a setting, with that default', () => {
  const settings = readConfig({}).describe();
  for (const name of limitNames) {
    const { variable, value } = bounds[name];
    if (variable !== undefined && name !== 'manifest_bytes') assert.equal(settings[variable], String(value), name);
  }
});

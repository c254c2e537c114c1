import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commands } from '../src/cli/command-table.ts';
import { readConfig } from '../src/config/config.ts';
import { errorCodes } from '../src/kernel/error.ts';
import { builtInRetentionClasses } from '../src/kernel/retention.ts';

const root = join(import.meta.dirname, '..');
const page = globSync(['docs/operate.md', 'docs/operate/*.md', 'docs/stores.md'], { cwd: root })
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');
const source = globSync('src/**/*.ts', { cwd: root })
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

/** Of the backends in the page's example. */
const backendNames = /_(?:HOT|COLD|ARCHIVE)_/;

describe('the pages of docs/operate/', () => {
  it('has every setting with its default, and no other', () => {
    const documented = new Map(
      [...page.matchAll(/^\| `(ARTIFACTSTORE_[A-Z0-9_]+)` \| (?:`([^`]*)`)? ?\|/gm)].map(([, name, initial]) => [name, initial ?? '']),
    );
    assert.deepEqual(
      Object.fromEntries([...documented].sort()),
      Object.fromEntries(Object.entries(readConfig({}, { directory: root }).describe()).sort()),
    );
    for (const [name] of page.matchAll(/ARTIFACTSTORE_[A-Z0-9_]*[A-Z0-9]\b/g))
      assert.ok(documented.has(name.replace(backendNames, '_')) || name === 'ARTIFACTSTORE_TEST', `${name} is not a setting`);
  });

  it('names commands that there are', () => {
    const named = [...page.matchAll(/(?:^(?:[A-Z_]+="[^"]*" )?|`)artifactstore ([a-z]+)(?: ([a-z]+))?/gm)];
    assert.ok(named.length > 10);
    for (const [words, first = '', second = ''] of named) {
      const entry = commands[first];
      assert.ok(entry !== undefined, `there is no command ${first}`);
      assert.ok(second === '' || entry.load !== undefined || entry.commands?.[second] !== undefined, `there is no command ${words}`);
    }
  });

  it('names codes, metrics, log messages and classes that there are', () => {
    const failing = page.slice(page.indexOf('## When something fails'), page.indexOf('## Whose store it is'));
    for (const [, code] of failing.matchAll(/`([a-z]+_(?:full|unavailable|migrated|failure|mismatch))`/g))
      assert.ok(
        errorCodes.some((known) => known === code),
        `${code} is no error code`,
      );
    for (const [, metric] of page.matchAll(/`(artifactstore_[a-z_]+)/g))
      assert.ok(source.includes(`'${metric}'`), `there is no metric ${metric}`);
    const messages = page.slice(page.indexOf('these messages matter'), page.indexOf('The event log is a second'));
    for (const [, message = ''] of messages.matchAll(/`(an? [a-z ]+|bytes [a-z ]+|the [a-z ;]+)`/g))
      assert.ok(source.includes(`'${message}'`), `nobody logs "${message}"`);
    for (const { slug } of builtInRetentionClasses) assert.ok(page.includes(`| \`${slug}\` |`), `the class ${slug} is missing`);
  });
});
